"""Make the README's pictures from the cine inside the pydicom package and the packaged model.

Usage: python docs/pictures.py
"""

from pathlib import Path

import cv2
import pydicom
from PIL import Image

import edgeecho
from edgeecho.report import Marks, contact_sheet, draw_curve, write_png
from edgeecho.report.overlay import render_overlay

HERE = Path(__file__).parent / "img"


def main() -> None:
    """Write loop.gif, sheet.png and curve.png."""
    HERE.mkdir(exist_ok=True)
    cine = edgeecho.read_cine(pydicom.examples.get_path("ybr_color"))
    result = edgeecho.load().segment(cine)
    marks = Marks.of(result)
    pictures = [
        Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).quantize(96, dither=Image.Dither.NONE)
        for picture in render_overlay(cine.frames, result.mask, cine.fps, area_px=result.area_px, marks=marks)
    ]
    delay_ms = round(1000 / (cine.fps or 30))
    pictures[0].save(HERE / "loop.gif", save_all=True, append_images=pictures[1:], duration=delay_ms, loop=0)
    frames = [0, *sorted({*result.ed_frames, *result.es_frames, len(result.mask) // 2})]
    names = dict.fromkeys(result.ed_frames, "ED, ") | dict.fromkeys(result.es_frames, "ES, ")
    labels = [f"{names.get(i, '')}frame {i}" for i in frames]
    write_png(HERE / "sheet.png", contact_sheet(cine.frames, result.mask, frames, labels=labels))
    title = "SonoSite cine of the pydicom package"
    write_png(HERE / "curve.png", draw_curve(result.area_px, cine.fps, marks, title))


if __name__ == "__main__":
    main()
