"""The page beside the probe: who may open it, what it gets, and what it may order."""

import contextlib
import json
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("websockets")
pytest.importorskip("httpx2")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from typer.testing import CliRunner

from edgeecho.cine import Cine
from edgeecho.cli import app
from edgeecho.live import LiveSession
from edgeecho.live.recording import Recording
from edgeecho.live.server import MAX_PAGES, LiveServer
from edgeecho.live.source import CineFile
from edgeecho.runtime import load, stream
from tests.helpers import draw_heart

MODEL = "cl_unet_nano"
HEART = draw_heart(np.random.default_rng(0), frames=40)[0]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PORT = 5555
OWN = {"host": f"127.0.0.1:{PORT}", "origin": f"http://127.0.0.1:{PORT}"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    recording = Recording(10, None, lambda: load(MODEL, threads=1))
    source = CineFile(Cine(HEART, fps=25), "heart <b>")
    session = LiveSession(source, stream(MODEL, threads=1, fps=25), recording, loop=True)
    session.start()
    yield LiveServer(session, PORT, tmp_path)
    session.close()


@pytest.fixture
def client(server: LiveServer) -> Iterator[TestClient]:
    with TestClient(server.app, base_url=f"http://127.0.0.1:{PORT}") as opened:
        yield opened


@contextlib.contextmanager
def open_socket(client: TestClient, server: LiveServer, token: str | None = None, **headers: str) -> Iterator[Any]:
    token = server.token if token is None else token
    with (
        contextlib.suppress(CancelledError),  # starlette's client cancels a socket that it leaves
        client.websocket_connect(f"/live?token={token}", headers=OWN | headers) as opened,
    ):
        yield opened


def read_state(opened: Any) -> tuple[dict[str, Any], bytes]:
    message = opened.receive_bytes()
    (length,) = struct.unpack("<I", message[:4])
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def test_the_page_needs_its_token(server: LiveServer, client: TestClient) -> None:
    page = client.get(f"/?token={server.token}")
    assert page.status_code == 200
    assert "heart &lt;b&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/").status_code == 403
    assert client.get("/?token=x").status_code == 403
    assert client.get(f"/?token={server.token}", headers={"host": "attacker.example"}).status_code == 403
    assert client.get(f"/?token={server.token}", headers={"origin": "http://attacker.example"}).status_code == 403
    assert client.post(f"/?token={server.token}").status_code == 405
    assert client.get("/else").status_code == 404


def test_the_socket_needs_token_and_origin(server: LiveServer, client: TestClient) -> None:
    refused: list[dict[str, str]] = [
        {"token": "x"}, {"origin": "http://attacker.example"}, {"origin": "null"}, {"host": "attacker.example"}
    ]  # fmt: skip
    for change in refused:
        with pytest.raises(WebSocketDisconnect), open_socket(client, server, **change) as opened:
            opened.receive_bytes()
    with open_socket(client, server) as opened:
        state, _ = read_state(opened)
        while state["frame"] < 0:
            state, jpeg = read_state(opened)
        assert jpeg[:2] == b"\xff\xd8"
        assert (state["width"], state["height"]) == (128, 128)


def test_a_page_too_many_is_told(server: LiveServer, client: TestClient) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_PAGES):
            read_state(stack.enter_context(open_socket(client, server)))
        with open_socket(client, server) as late, pytest.raises(WebSocketDisconnect) as closed:
            late.receive_bytes()
    assert (closed.value.code, "pages are open" in closed.value.reason) == (1013, True)


@pytest.mark.parametrize("sent", [["no json"], ["x" * 5000], ['{"do": "go"}'] * 60])
def test_a_page_that_sends_nonsense_or_too_much_is_closed(
    server: LiveServer, client: TestClient, sent: list[str]
) -> None:
    def send_all(opened: Any) -> None:
        for text in sent:
            opened.send_text(text)
        for _ in range(2000):
            opened.receive_bytes()

    with open_socket(client, server) as opened, pytest.raises(WebSocketDisconnect) as closed:
        send_all(opened)
    assert closed.value.code == 1008


def test_an_order_that_fails_is_one_line(server: LiveServer, client: TestClient) -> None:
    with open_socket(client, server) as opened:
        opened.send_text('{"do": "fly"}')
        said = ""
        for _ in range(200):
            said = read_state(opened)[0].get("said", said)
            if said:
                break
        assert said == "an order that is not known"


def start(*arguments: object, **settings: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "edgeecho", "live", *map(str, arguments), "--model", MODEL]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **(pipes | settings))


def test_lines_of_json(tmp_path: Path) -> None:
    np.savez(tmp_path / "heart.npz", frames=HEART, fps=200)
    process = start(tmp_path / "heart.npz", "--headless")
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["frame"] for line in lines[:-1]] == list(range(len(lines) - 1))
    assert len(lines) - 1 + lines[-1]["dropped"] >= 40
    assert lines[-1]["status"] == "ended"


def test_no_frames_are_kept_where_no_page_can_save_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "heart.npz", frames=HEART, fps=200)
    kept: list[Recording] = []

    def keep(*values: Any) -> Recording:
        kept.append(Recording(*values))
        return kept[-1]

    monkeypatch.setattr("edgeecho.live.recording.Recording", keep)
    done = CliRunner().invoke(app, ["live", str(tmp_path / "heart.npz"), "--headless", "--model", MODEL])
    assert done.exit_code == 0, done.output
    assert [len(recording._frames) for recording in kept] == [1]


def test_raw_frames_from_a_program() -> None:
    process = start("-", "--size", "128x128", "--headless", stdin=subprocess.PIPE, text=False)
    out, error = process.communicate(HEART.tobytes() + b"half", timeout=60)
    assert process.returncode == 1
    assert b"ended within a frame: 4 of 16384 bytes" in error
    assert b"Traceback" not in error
    assert out.splitlines()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    np.savez(tmp_path / "heart.npz", frames=HEART, fps=25)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(tmp_path / "heart.npz", "--port", taken.getsockname()[1])
        _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "choose another one, or 0" in error


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    np.savez(tmp_path / "heart.npz", frames=HEART, fps=25)
    process = start(tmp_path / "heart.npz", "--out", tmp_path / "saved")
    try:
        assert process.stdout
        address = process.stdout.readline().strip()
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for width, scheme in ((1280, "dark"), (390, "light")):
                page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
                said: list[str] = []
                page.on("console", lambda message, said=said: said.append(message.text))
                page.on("pageerror", lambda error, said=said: said.append(str(error)))
                page.goto(address)
                page.locator("#outline[points]").wait_for(state="attached", timeout=20_000)
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
                assert not said
            page.get_by_role("button", name="Freeze").click()
            page.get_by_role("button", name="Go on").wait_for(timeout=20_000)
            page.get_by_role("button", name="Save").click()
            page.locator("#said", has_text="saved").wait_for(timeout=30_000)
            browser.close()
        assert len(list((tmp_path / "saved").glob("*.json"))) == 1
        process.send_signal(2)
        started = time.monotonic()
        _, error = process.communicate(timeout=30)
        assert time.monotonic() - started < 15
        assert "Traceback" not in error
    finally:
        process.kill()
        process.communicate()


def test_text_that_is_not_utf_8_closes_a_page_without_a_traceback(tmp_path: Path) -> None:
    np.savez(tmp_path / "heart.npz", frames=HEART, fps=25)
    argv = [sys.executable, "-m", "edgeecho", "live", str(tmp_path / "heart.npz"), "--model", MODEL]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port, token = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(.*)\n", process.stdout.readline()).groups()  # type: ignore[union-attr]
        with socket.create_connection(("127.0.0.1", int(port)), 10) as page:
            page.sendall(
                f"GET /live?token={token} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA==\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            assert b"101" in page.recv(200)
            page.sendall(b"\x81\x82\0\0\0\0\xff\xff")
            time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.communicate(timeout=30)[1]
