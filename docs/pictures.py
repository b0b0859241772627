"""Make the pictures of the README and of docs/clinic.md from the cine inside the pydicom package and drawn hearts.

Usage: python docs/pictures.py [--clinic | --live | --web]

Those of pages need Playwright and Chromium: with --clinic the page of a run, with --live the page beside the probe, and
with --web that in the browser alone, which `make web` builds: `PYTHONPATH=. python docs/pictures.py --web`.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pydicom
from PIL import Image

import edgeecho
from edgeecho.report import Marks, draw_curve, write_png
from edgeecho.report.overlay import render_overlay
from edgeecho.synthetic.phantom import draw_cine

HERE = Path(__file__).parent / "img"


def main() -> None:
    """Write loop.gif and curve.png."""
    HERE.mkdir(exist_ok=True)
    cine = edgeecho.read_cine(pydicom.examples.get_path("ybr_color"))
    result = edgeecho.load().segment(cine)
    marks = Marks.of(result.to_dict())
    pictures = [
        Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).quantize(64, dither=Image.Dither.NONE)
        for picture in render_overlay(cine.frames, result.mask, cine.fps, area_px=result.area_px, marks=marks)
    ]
    delay_ms = round(1000 / (cine.fps or 30))
    pictures[0].save(HERE / "loop.gif", save_all=True, append_images=pictures[1:], duration=delay_ms, loop=0)
    title = "SonoSite cine of the pydicom package"
    write_png(HERE / "curve.png", draw_curve(result.area_px, cine.fps, marks, title))


def clinic() -> None:
    """Write clinic.png and clinic_cine.png: the page of a run over a folder, and that of one cine."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cines = Path(folder, "cines")
        _write_cines(cines)
        command = [sys.executable, "-m", "edgeecho", "segment", str(cines), "--out", f"{folder}/out"]
        subprocess.run(command, check=False, capture_output=True)  # one of the cines is damaged
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        for name, picture in (("index", "clinic"), ("sonosite", "clinic_cine")):
            page.goto(Path(folder, "out", f"{name}.html").as_uri())
            page.wait_for_timeout(500)
            page.screenshot(path=HERE / f"{picture}.png")
            Image.open(HERE / f"{picture}.png").quantize(128).save(HERE / f"{picture}.png", optimize=True)


def live() -> None:
    """Write live.gif: the page beside the probe, while the SonoSite loop is played."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cine = edgeecho.read_cine(pydicom.examples.get_path("ybr_color"))
        np.savez(Path(folder, "sonosite.npz"), frames=np.tile(cine.frames, (20, 1, 1)), fps=cine.fps)
        command = [sys.executable, "-m", "edgeecho", "live", f"{folder}/sonosite.npz"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1100, "height": 640}, color_scheme="dark")
            page.goto(process.stdout.readline().strip())
            page.locator("#ef", has_text="%").wait_for(timeout=60_000)
            taken = [Image.open(io.BytesIO(page.screenshot(type="png"))) for _ in range(16)]
        finally:
            process.terminate()
    small = [picture.convert("RGB").resize((640, 372)).quantize(48, dither=Image.Dither.NONE) for picture in taken]
    small[0].save(HERE / "live.gif", save_all=True, append_images=small[1:], duration=120, loop=0)


def web() -> None:
    """Write web.gif: the page in the browser alone at a phone's width, after the SonoSite loop was dropped."""
    from playwright.sync_api import sync_playwright

    from studies.web_page import open_page, serve, write_stills

    with serve() as site, sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        opened = open_page(playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]), site.address)
        opened.page.set_viewport_size({"width": 390, "height": 558})
        opened.choose("cl_unet_edge")
        cine = edgeecho.read_cine(pydicom.examples.get_path("ybr_color"))
        opened.page.locator("#fps").fill(str(cine.fps))
        opened.drop(write_stills(Path(folder), cine.frames))
        opened.wait_done()
        opened.page.locator("#play").click()
        opened.page.evaluate("scrollTo(0, document.getElementById('scene').offsetTop - 8)")
        seek = opened.page.locator("#seek")
        taken = []
        for frame in range(0, len(cine.frames), 3):
            seek.fill(str(frame))
            taken.append(Image.open(io.BytesIO(opened.page.screenshot(type="png"))))
    small = [picture.convert("RGB").resize((260, 372)).quantize(64, method=1, dither=0) for picture in taken]
    small[0].save(HERE / "web.gif", save_all=True, append_images=small[1:], duration=100, loop=0)


def _write_cines(folder: Path) -> None:
    """Write the SonoSite cine, drawn hearts, and some that are turned, short, noise, or damaged."""
    folder.mkdir()
    shutil.copy(pydicom.examples.get_path("ybr_color"), folder / "sonosite.dcm")
    (folder / "copied_in_part.avi").write_bytes(b"RIFF\0\0\0\0AVI ")
    noise = np.random.default_rng(0).integers(0, 256, (40, 160, 160), dtype=np.uint8)
    np.savez(folder / "noise.npz", frames=noise, fps=30)
    for seed in range(6):
        cine = draw_cine(seed)
        frames = cine.frames[:6] if seed == 1 else cine.frames[:, ::-1, ::-1] if seed == 2 else cine.frames
        np.savez(folder / f"phantom{seed}.npz", frames=frames, fps=cine.fps, spacing_mm=cine.spacing_mm)


if __name__ == "__main__":
    {"--clinic": clinic, "--live": live, "--web": web}.get(sys.argv[-1], main)()
