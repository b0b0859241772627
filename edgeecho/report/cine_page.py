"""NAME.html: the result of one cine as a page, which needs no server, no network and no other file but the video."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from edgeecho.files import atomic
from edgeecho.model.spec import NOTICE
from edgeecho.names import printable
from edgeecho.report.curve_chart import draw_curve_chart
from edgeecho.report.disc_lines import DiscLines, disc_lines
from edgeecho.report.draw import outlines
from edgeecho.report.marks import ef_of
from edgeecho.report.page.template import FOLDER, render
from edgeecho.report.pictures import Pictures, data_uri, shown_beat
from edgeecho.report.stored import StoredResult

OUTLINE_POINTS = 64
"""Points of an outline in the page; each can be moved."""
CHART_PX = (880, 360)
"""Widths of the curve on wide and narrow screens."""


def write_cine_page(stored: StoredResult) -> Path:
    """Write the page of a result beside it, and return its path.

    Raises:
        OutputError: If it cannot be written.
        DataError: If the result's arrays are missing or damaged.
    """
    path = stored.json_path.with_suffix(".html")
    text = render_cine_page(stored)
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def render_cine_page(stored: StoredResult) -> str:
    """Return the page of a result as HTML."""
    figures, pictures = stored.figures, stored.pictures
    video = stored.json_path.with_suffix(".webm")
    return render(
        "cine.html",
        FOLDER,
        title=printable(stored.stem),
        figures=figures,
        headline=ef_of(figures),
        reasons=_reasons(figures),
        stills=list(_stills(stored)),
        charts=[draw_curve_chart(figures, width).to_svg() for width in CHART_PX],
        beats=list(_beat_rows(figures)),
        summary=_summary(figures),
        corrections=figures.get("corrections") or [],
        video=quote(os.fsencode(video.name)) if video.is_file() else None,
        model=_model_pairs(figures),
        data=_page_data(stored, pictures),
        pictures=[data_uri(jpeg) for jpeg in pictures.jpegs],
        notice=NOTICE,
    )


def _reasons(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    order = {"withhold": 0, "review": 1, "note": 2}
    return sorted(figures["reasons"], key=lambda reason: order[reason["level"]])


def _stills(stored: StoredResult) -> Iterator[dict[str, Any]]:
    """Yield ED and ES of the beat that is shown: picture, outline, axis and discs."""
    figures = stored.figures
    frames = shown_beat(figures)
    if frames is None or not stored.pictures.frames:
        return
    spacing = figures["spacing_mm"] and tuple(figures["spacing_mm"])
    for name, index in zip(("end-diastole", "end-systole"), frames, strict=True):
        if index in stored.pictures.frames:
            lines: DiscLines | None = disc_lines(stored.mask[index], spacing)
            yield {
                "name": name,
                "frame": index,
                "picture": data_uri(stored.pictures.jpegs[stored.pictures.frames.index(index)]),
                "outlines": [_path(line) for line in outlines(stored.mask[index])],
                "lines": lines,
            }


def _path(points: np.ndarray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points[:: max(1, len(points) // 200)])


def _beat_rows(figures: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    texts = {reason["code"]: reason["text"] for reason in figures["reasons"]}
    for number, beat in enumerate(figures["beats"], 1):
        yield beat | {
            "number": number,
            "verdict": "used" if beat["is_used"] else "left out",
            "why": "; ".join(texts.get(code, code.replace("_", " ")) for code in beat["reasons"]),
        }


def _summary(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of the figures that are given."""
    units = (("edv_ml", "EDV", "mL"), ("esv_ml", "ESV", "mL"), ("sv_ml", "stroke volume", "mL"))
    rows = [(name, f"{figures[key]:.0f} {unit}") for key, name, unit in units if figures[key] is not None]
    if figures["heart_rate_bpm"] is not None:
        rows.append(("heart rate", f"{figures['heart_rate_bpm']:.0f} a minute"))
    used = sum(beat["is_used"] for beat in figures["beats"])
    rows.append(("beats used", f"{used} of {len(figures['beats'])}"))
    return rows


def _model_pairs(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    model, spacing = figures["model"], figures["spacing_mm"]
    size = f"{figures['frames']} frames of {figures['width']} x {figures['height']}"
    return [
        ("cine", figures["input"]),
        ("size", size + (f", {figures['fps']:g} a second" if figures["fps"] else ", frame rate unknown")),
        ("pixel", f"{spacing[0]:.4g} x {spacing[1]:.4g} mm" if spacing else "size unknown"),
        ("region", ", ".join(map(str, figures["roi"])) + f"; flip {figures['flip']}"),
        ("model", f"{model['name']}, {model['form']}, {model['precision']}"),
        ("licence of the weights", model["licence"]),
        ("SHA-256 of the model", model["sha256"]),
        ("engine", f"{model['runtime']} {model['runtime_version']}"),
    ]


def _page_data(stored: StoredResult, pictures: Pictures) -> Markup:
    """Return what the page's script needs, as JSON that cannot end the script."""
    figures, mask = stored.figures, stored.mask
    run = figures.get("run") or {}
    data = {
        "name": printable(stored.stem),
        "input_sha256": run.get("input_sha256"),
        "model_sha256": figures["model"]["sha256"],
        "width": figures["width"],
        "height": figures["height"],
        "total": figures["frames"],
        "fps": figures["fps"],
        "frames": list(pictures.frames),
        "outlines": [_points(mask[index]) for index in pictures.frames],
        "beats": [[beat["ed_frame"], beat["es_frame"]] for beat in figures["beats"]],
        "shown": shown_beat(figures),
    }
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))


def _points(mask: np.ndarray) -> list[list[float]]:
    """Return `OUTLINE_POINTS` points along the longest outline of a mask, (x, y); none if it is empty."""
    lines = outlines(mask)
    if not lines:
        return []
    line = max(lines, key=len)
    chosen = np.linspace(0, len(line), min(OUTLINE_POINTS, len(line)), endpoint=False).astype(int)
    points: list[list[float]] = np.round(line[chosen], 1).tolist()
    return points
