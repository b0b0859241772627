"""The page of a run and those of its cines: what they say, and that they work in a browser."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.batch import CineOptions, ModelChoice, Settings, run_batch
from edgeecho.batch.run import prepare_batch
from edgeecho.correction import correct, read_correction
from edgeecho.report.disc_lines import disc_lines
from edgeecho.report.index_page import IndexRow, render_index_page
from edgeecho.report.stored import StoredResult
from tests.helpers import draw_heart

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of two drawn cines and of a damaged one, whose name holds what HTML and URLs have rules for."""
    cines = tmp_path_factory.mktemp("cines")
    heart = draw_heart(np.random.default_rng(0), frames=30)[0]
    np.savez(cines / "heart.npz", frames=heart, fps=25, spacing_mm=(0.9, 0.8))
    np.savez(cines / "a#b <i>&.npz", frames=heart[:8], fps=25)
    (cines / "damaged.npz").write_bytes(b"no archive")
    settings = Settings(out=str(cines / "out"), choice=ModelChoice(model="cl_unet_nano", threads=1))
    outcomes = list(run_batch(prepare_batch([str(cines)], CineOptions(), settings), lambda *_: None))
    assert len(outcomes) == 3
    return cines / "out"


def test_the_worst_come_first(results: Path) -> None:
    figures = json.loads((results / "heart.json").read_text())
    rows = [
        IndexRow(verdict, f"/data/{verdict}.npz", figures | {"verdict": verdict})
        for verdict in ("report", "review", "withhold")
    ]
    page = render_index_page([*rows, IndexRow("failed", "/secret/failed.npz", None, "/secret/failed.npz: no video")])
    order = [page.index(f'data-verdict="{verdict}"') for verdict in ("failed", "withhold", "review", "report")]
    assert order == sorted(order)
    assert ">failed.npz: no video<" in page


def test_names_are_escaped(results: Path) -> None:
    index = (results / "index.html").read_text()
    assert "<i>" not in index
    assert 'href="a%23b%20%3Ci%3E%26.html"' in index
    assert "<i>" not in (results / "a#b <i>&.html").read_text()


def test_pages_need_nothing_from_elsewhere(results: Path) -> None:
    for page in results.glob("*.html"):
        text = page.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text
        assert "https:" not in text
        assert "Research software, not a medical device" in text


def test_discs_lie_within_the_mask() -> None:
    import cv2

    mask = np.zeros((100, 100), np.uint8)
    cv2.ellipse(mask, (50, 50), (20, 40), 15, 0, 360, 1, -1)
    lines = disc_lines(mask, (0.5, 0.4))
    assert lines
    assert len(lines.discs) == 20
    for x0, y0, x1, y1 in lines.discs:
        middle = (round((y0 + y1) / 2), round((x0 + x1) / 2))
        assert mask[middle], "the middle of a disc"
    widest = max(np.hypot(x1 - x0, y1 - y0) for x0, y0, x1, y1 in lines.discs)
    assert widest == pytest.approx(40, abs=3)
    assert disc_lines(np.zeros((9, 9), np.uint8), None) is None


@pytest.fixture
def browser() -> Iterator[Any]:
    """Chromium, without a screen."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


def open_page(browser: Any, path: Path, width: int, scheme: str) -> tuple[Any, list[str]]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    return page, said


def test_pages_in_a_browser(browser: Any, results: Path) -> None:
    for width, scheme in ((1280, "light"), (390, "dark")):
        for name in ("index.html", "heart.html", "a#b <i>&.html"):
            page, said = open_page(browser, results / name, width, scheme)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (name, width)
            assert not said, (name, width, said)
    page, _ = open_page(browser, results / "index.html", 1280, "light")
    assert page.locator("tbody tr:visible").count() == 3
    page.get_by_role("button", name="failed (1)").click()
    assert page.locator("tbody tr:visible").count() == 1
    page.get_by_role("button", name="All").click()
    page.get_by_role("searchbox").fill("HEART")
    assert page.locator("tbody tr:visible").count() == 1
    page.locator("tbody tr:visible .open").click()
    page.wait_for_function("document.querySelector('dialog video').readyState > 0")
    assert page.evaluate("document.querySelector('dialog video').videoWidth") > 0
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="heart", exact=True).click()
    assert page.locator("h1").inner_text() == "heart"


def test_a_correction_made_in_the_page_reaches_the_figures(browser: Any, results: Path, tmp_path: Path) -> None:
    for path in results.glob("heart.*"):
        shutil.copy(path, tmp_path)
    page, said = open_page(browser, tmp_path / "heart.html", 1280, "light")
    slider, save = page.locator("#at"), page.locator("#save")
    for frame, button in ((3, "#set-ed"), (11, "#set-es")):
        slider.fill(str(frame))
        page.locator(button).click()
        assert save.is_disabled() == (frame == 3)
    slider.fill("3")
    page.locator("#edit").click()
    before = page.locator("#outline").get_attribute("points")
    page.locator(".handle").nth(4).scroll_into_view_if_needed()
    box = page.locator(".handle").nth(4).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] - 25, steps=4)
    page.mouse.up()
    assert page.locator("#outline").get_attribute("points") != before
    page.locator("#accept").check()
    with page.expect_download() as downloaded:
        save.click()
    assert downloaded.value.suggested_filename == "heart.correction.json"
    downloaded.value.save_as(tmp_path / "heart.correction.json")
    assert not said
    correction = read_correction(tmp_path / "heart.correction.json")
    assert (correction.ed_frame, correction.es_frame, correction.accepted) == (3, 11, True)
    assert list(correction.outlines) == [3]
    stored = StoredResult.open(tmp_path / "heart.json")
    changed = correct(stored, correction).stored
    assert changed.figures["corrected_frames"] == [3]
    assert (changed.mask[3] != stored.mask[3]).any()
    page, said = open_page(browser, tmp_path / "heart.html", 390, "dark")
    assert "Corrected by a person" in page.locator("header").inner_text()
    assert not said
