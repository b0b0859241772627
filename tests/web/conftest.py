"""The page of `make web`, served on this machine and opened in headless Chromium."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "web" / "dist"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SOURCES = ("web/src/*", "web/native/*", "web/static/*", "web/*.mjs", "device/src/**/*.c", "models/*/stream.int8.onnx")
START_MS, RUN_MS = 60_000, 120_000


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
            self.page.locator(f"body[data-ready={model}]").wait_for(timeout=START_MS)

    def drop(self, paths: list[Path]) -> None:
        """Drop files onto the page, as from a folder."""
        session = self.page.context.new_cdp_session(self.page)
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

    def save(self, folder: Path) -> tuple[str, np.ndarray]:
        """Save the results and return JSON and masks."""
        with self.page.expect_event("download", lambda d: d.suggested_filename.endswith(".npy")) as masks:
            with self.page.expect_event("download", lambda d: d.suggested_filename.endswith(".json")) as figures:
                self.page.locator("#save").click()
            figures.value.save_as(folder / "saved.json")
        masks.value.save_as(folder / "saved.npy")
        return (folder / "saved.json").read_text(), np.load(folder / "saved.npy")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The page of `make web`, served; skips where it is not built, or older than its sources."""
    index = DIST / "index.html"
    if not index.is_file():
        pytest.skip("web/dist is not built: make web")
    newest = max(path.stat().st_mtime for pattern in SOURCES for path in ROOT.glob(pattern))
    if newest > index.stat().st_mtime:
        pytest.skip("web/dist is older than its sources: make web")
    with Site(DIST) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a screen, with a drawn camera."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def opened(browser: Any, site: Site) -> Opened:
    """The page, with its model open."""
    context = browser.new_context(accept_downloads=True, permissions=["camera"], color_scheme="dark")
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    context.on("request", lambda request: opened.fetched.append(request.url))
    opened.page.goto(site.address)
    opened.choose("cl_unet_edge")
    return opened
