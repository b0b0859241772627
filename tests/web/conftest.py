"""The page of `make web`, served on this machine and opened in headless Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studies.web_page import CAMERA, DIST, Opened, Site, find_chromium, open_page, serve

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    *("web/src/*", "web/native/*", "web/static/*", "web/*.mjs", "web/*.py", "web/package-lock.json"),
    *("device/include/*.h", "device/src/**/*.[ch]", "edgeecho/report/page/*.css", "models/*/stream.int8.onnx"),
    "edgeecho/runtime/ef_errors.json",
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The page, served; skips where it is not built, or older than its sources."""
    index = DIST / "index.html"
    if not index.is_file():
        pytest.skip("web/dist is not built: make web")
    newest = max(path.stat().st_mtime for pattern in SOURCES for path in ROOT.glob(pattern))
    if newest > index.stat().st_mtime:
        pytest.skip("web/dist is older than its sources: make web")
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Any]:
    """Chromium without a screen, with a drawn camera."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *CAMERA])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def opened(browser: Any, site: Site) -> Opened:
    """The page, with its default model open."""
    opened = open_page(browser, site.address)
    opened.choose("cl_unet_edge")
    return opened
