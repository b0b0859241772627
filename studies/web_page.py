"""The page of `make web` for studies and tests: served on this machine, and opened in headless Chromium."""

import contextlib
import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

DIST = Path(__file__).parents[1] / "web" / "dist"
START_MS, RUN_MS = 60_000, 300_000
Saved = tuple[dict[str, Any], np.ndarray]
"""Results of a cine as the page saves them, and its masks, uint8 {0, 1} (T, H, W)."""
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""Flags of Chromium that give a drawn camera."""


class Site(http.server.ThreadingHTTPServer):
    """Serves a folder on this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server_port}/"
        self.is_down = False
        """Whether each request is refused."""

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.is_down

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that closes its connection in the middle of a file."""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *values: object) -> None:
        pass


@dataclass
class Opened:
    """The page in a browser, and what it wrote and fetched."""

    page: Any
    said: list[str] = field(default_factory=list)
    """Warnings and errors of the console."""
    fetched: list[str] = field(default_factory=list)
    """Addresses that were asked for."""

    def choose(self, model: str) -> None:
        """Open a model, unless it is."""
        self.page.locator("body[data-ready]").wait_for(timeout=START_MS)
        if self.page.locator("body").get_attribute("data-ready") != model:
            self.page.locator("#model").select_option(label=model)
            self.page.locator(f"body[data-ready='{model}']").wait_for(timeout=START_MS)

    def drop(self, paths: list[Path]) -> None:
        """Drop files onto the page, as from a folder."""
        session = self.page.context.new_cdp_session(self.page)
        self.page.locator("#scene").scroll_into_view_if_needed()
        box = self.page.locator("#scene").bounding_box()
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
            session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})
        session.detach()

    def wait_done(self) -> str:
        """Wait until the cine is segmented or refused, and return what is refused."""
        self.page.locator("#save:not([disabled]), #said:not(:empty)").first.wait_for(state="attached", timeout=RUN_MS)
        return str(self.page.locator("#said").inner_text())

    def save(self, folder: Path) -> Saved:
        """Save the results and return them."""
        with self.page.expect_event("download", lambda d: d.suggested_filename.endswith(".npy")) as masks:
            with self.page.expect_event("download", lambda d: d.suggested_filename.endswith(".json")) as figures:
                self.page.locator("#save").click()
            figures.value.save_as(folder / "saved.json")
        masks.value.save_as(folder / "saved.npy")
        return json.loads((folder / "saved.json").read_text()), np.load(folder / "saved.npy")


def find_chromium() -> str | None:
    """Return the path of Chromium; None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def serve(folder: Path = DIST) -> Iterator[Site]:
    """Serve the page."""
    with Site(folder) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site
        site.shutdown()


def open_page(browser: Any, address: str) -> Opened:
    """Open the page in a browser."""
    context = browser.new_context(accept_downloads=True, permissions=["camera"], color_scheme="dark")
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    context.on("request", lambda request: opened.fetched.append(request.url))
    opened.page.goto(address)
    return opened


def write_stills(folder: Path, frames: Sequence[np.ndarray] | np.ndarray) -> list[Path]:
    """Write frames, grey or BGR, as `frame 1.png` to `frame 10.png` and on, and return the paths sorted as texts."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"frame {number}.png" for number in range(1, len(frames) + 1)]
    for path, frame in zip(paths, frames, strict=True):
        cv2.imwrite(str(path), frame)
    return sorted(paths)
