"""The page beside the probe: one page and one WebSocket on this machine alone, behind a random token.

The page gets the newest state and never an older one: a browser that is slow or stalled gets fewer, and the stream does
not notice. Orders come by the same WebSocket. Nothing is uploaded, and nothing is loaded from elsewhere.
"""

import asyncio
import contextlib
import hmac
import json
import secrets
import struct
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from edgeecho.errors import EdgeEchoError
from edgeecho.live.orders import obey
from edgeecho.live.session import LiveSession
from edgeecho.live.state import LiveState
from edgeecho.model.spec import NOTICE
from edgeecho.report.page.template import FOLDER, render

MAX_PAGES = 4
"""Pages that may be open at once."""
MAX_PAGE_RATE = 25.0
"""States a second that a page gets at most."""
MAX_ORDERS = 20
"""Orders a second that a page may give; a page that gives more is closed."""
MAX_ORDER_BYTES = 2048
SIDE_PX = 640
"""Longer side of a picture in pixels, at most."""
CLOSED_BY_RULE, TRY_LATER = 1008, 1013
"""Codes of a WebSocket that is closed."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src blob: data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LiveServer:
    """Serves a session on 127.0.0.1."""

    def __init__(self, session: LiveSession, port: int, folder: Path) -> None:
        """
        Args:
            session: The session.
            port: Port on 127.0.0.1.
            folder: Where recordings are saved.
        """
        self.session, self.port, self.folder = session, port, folder
        self.token = secrets.token_urlsafe(24)
        self.pages = 0
        """Pages that are open."""
        self._changed: asyncio.Event | None = None
        self.app = Starlette(
            routes=[Route("/", self._page, methods=["GET"]), WebSocketRoute("/live", self._socket)], lifespan=self._run
        )

    @property
    def address(self) -> str:
        """Address of the page, with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @contextlib.asynccontextmanager
    async def _run(self, _: Starlette) -> AsyncIterator[None]:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        self._changed = changed

        def wake(_: LiveState) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(changed.set)

        self.session.listen(wake)
        yield

    def _is_allowed(self, request: Request | WebSocket) -> bool:
        """Whether a request has the token, is for this host, and is from its own page."""
        hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        is_own = origin is None if isinstance(request, Request) else origin == f"http://{host}"
        token = request.query_params.get("token", "")
        return host in hosts and is_own and hmac.compare_digest(token.encode(), self.token.encode())

    async def _page(self, request: Request) -> Response:
        if not self._is_allowed(request):
            text = "Not allowed: open the address that edgeecho live printed, with its token.\n"
            return PlainTextResponse(text, 403, headers=HEADERS)
        info = self.session.predictor.info
        about: dict[str, Any] = {
            "name": self.session.source.name,
            "model": info.name,
            "licence": info.licence,
            "notice": NOTICE,
        }
        about |= {"fps": self.session.source.fps, "precision": info.precision}
        return HTMLResponse(render("live.html", FOLDER, title="EdgeEcho live", about=about), headers=HEADERS)

    async def _socket(self, socket: WebSocket) -> None:
        if not self._is_allowed(socket):
            await socket.close(CLOSED_BY_RULE)
            return
        if self.pages >= MAX_PAGES:
            await socket.accept()
            await socket.close(TRY_LATER, f"{MAX_PAGES} pages are open; close one")
            return
        await socket.accept()
        self.pages += 1
        told: asyncio.Queue[str] = asyncio.Queue(maxsize=8)
        tasks = [asyncio.create_task(work) for work in (self._send(socket, told), self._receive(socket, told))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.pages -= 1

    async def _send(self, socket: WebSocket, told: "asyncio.Queue[str]") -> None:
        """Send the newest state whenever there is a new one, at most `MAX_PAGE_RATE` times a second."""
        sent = -1
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                state = self.session.state
                if state.number != sent or not told.empty():
                    sent = state.number
                    said = told.get_nowait() if not told.empty() else ""
                    await socket.send_bytes(await asyncio.to_thread(_message, state, said))
                    await asyncio.sleep(1 / MAX_PAGE_RATE)
                else:
                    await self._wait()

    async def _wait(self) -> None:
        assert self._changed is not None
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), 0.1)

    async def _receive(self, socket: WebSocket, told: "asyncio.Queue[str]") -> None:
        """Take the orders of a page; one that gives too many, or none that is understood, is closed."""
        loop = asyncio.get_running_loop()
        recent: list[float] = []
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                text = await socket.receive_text()
                now = loop.time()
                recent = [moment for moment in recent if now - moment < 1.0] + [now]
                if len(recent) > MAX_ORDERS or len(text) > MAX_ORDER_BYTES:
                    await socket.close(CLOSED_BY_RULE, "too many orders")
                    return
                try:
                    order = json.loads(text)
                except (ValueError, RecursionError):
                    await socket.close(CLOSED_BY_RULE, "no order")
                    return
                said = await asyncio.to_thread(_obey, self, order)
                if said and not told.full():
                    told.put_nowait(said)


def _obey(server: LiveServer, order: Any) -> str:
    try:
        return obey(server.session, order, server.folder)
    except EdgeEchoError as error:
        return " ".join(str(error).split())


@lru_cache(maxsize=2)
def _encoded(state: LiveState) -> tuple[bytes, bytes]:
    """Return the state as JSON and its picture as JPEG; several pages share it."""
    picture = state.picture
    if picture is None:
        return json.dumps(state.to_dict()).encode(), b""
    scale = SIDE_PX / max(picture.shape)
    if scale < 1:
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()
    return json.dumps(state.to_dict()).encode(), jpeg


def _message(state: LiveState, said: str) -> bytes:
    """Return the message of a state: length of its JSON (4 bytes), JSON, JPEG."""
    text, jpeg = _encoded(state)
    if said:
        text = json.dumps(json.loads(text) | {"said": said}).encode()
    return struct.pack("<I", len(text)) + text + jpeg
