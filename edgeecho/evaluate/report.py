"""Files of an evaluation: a CSV row per video and per patient, plots, and a sheet of the worst frames."""

import csv
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgeecho.evaluate.matplotlib_figure import figure_class
from edgeecho.evaluate.patients import PatientScore
from edgeecho.evaluate.scores import Scores, WorstFrame, video_row
from edgeecho.files import atomic
from edgeecho.report import contact_sheet, write_png
from edgeecho.report.draw import BACKGROUND, OUTLINE, outlines, polyline, put_text, to_bgr
from edgeecho.report.draw import ED as ORANGE

SHEET_PX = 320
"""Height of a picture in the sheet."""
SHEET_COLUMNS = 4
LEGEND_PX = 28


def write_report(scores: Scores, out_dir: str | os.PathLike[str]) -> list[Path]:
    """Write `videos.csv`, `patients.csv`, `worst.png` and the plots that the data set allows.

    Args:
        scores: Result of `evaluate_model`.
        out_dir: Folder, which is made if it does not exist; files of those names are replaced.

    Returns:
        Paths of the files.

    Raises:
        MissingExtraError: If matplotlib is not installed; nothing is written then.
        OutputError: If a file cannot be written.
    """
    figure_class()  # first, as it may be missing
    from edgeecho.evaluate.plots import draw_plots

    folder = Path(out_dir)
    written = [folder / "videos.csv", folder / "patients.csv"]
    write_csv(written[0], [video_row(video) for video in scores.videos])
    write_csv(written[1], [patient_row(patient) for patient in (*scores.patients, *scores.biplane)])
    if scores.worst:
        written.append(folder / "worst.png")
        write_png(written[-1], draw_worst(scores.worst))
    for name, picture in draw_plots(scores):
        written.append(folder / name)
        with atomic(written[-1]) as temporary:
            temporary.write_bytes(picture)
    return written


def patient_row(patient: PatientScore) -> dict[str, Any]:
    """Return one patient and view, or a patient's biplane figures, as a flat row; None where there is no value."""
    row: dict[str, Any] = {"patient": patient.group, "view": patient.view, "quality": patient.quality}
    for name, volumes in (("model", patient.model), ("reference", patient.reference)):
        row[f"edv_ml_{name}"] = volumes.edv_ml
        row[f"esv_ml_{name}"] = volumes.esv_ml
        row[f"ef_percent_{name}"] = volumes.ef_percent
    return {**row, "ef_percent_beats": patient.beats_ef_percent, "ef_percent_clinical": patient.clinical_ef_percent}


def draw_worst(worst: list[WorstFrame]) -> np.ndarray:
    """Draw the frames of lowest Dice side by side: the model's outline in green, the reference's in orange.

    Args:
        worst: Frames to draw, at least one.

    Returns:
        uint8 BGR picture.
    """
    scales = [SHEET_PX / frame.image.shape[0] for frame in worst]
    width = max(round(f.image.shape[1] * scale) for f, scale in zip(worst, scales, strict=True))
    images, masks = (
        np.zeros((len(worst), SHEET_PX, width, 3), np.uint8),
        np.zeros((len(worst), SHEET_PX, width), np.uint8),
    )
    for number, (frame, scale) in enumerate(zip(worst, scales, strict=True)):
        size = (min(width, round(frame.image.shape[1] * scale)), SHEET_PX)
        smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = to_bgr(cv2.resize(frame.image, size, interpolation=smaller))
        reference, mask = (
            (cv2.resize(m.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR) >= 128).astype(np.uint8)
            for m in (frame.reference, frame.mask)
        )
        for line in outlines(reference):
            polyline(picture, line, ORANGE, 1, closed=True)
        left = (width - size[0]) // 2
        images[number, :, left : left + size[0]] = picture[..., ::-1]
        masks[number, :, left : left + size[0]] = mask
    labels = [f"{f.name}{f' {f.phase}' if f.phase not in f.name else ''}: Dice {f.dice:.3f}" for f in worst]
    columns = min(SHEET_COLUMNS, len(worst))
    sheet = contact_sheet(images, masks, range(len(worst)), labels=labels, height_px=SHEET_PX, columns=columns)
    legend = np.full((LEGEND_PX, sheet.shape[1], 3), BACKGROUND, np.uint8)
    put_text(legend, "model", (12, LEGEND_PX - 9), 15, OUTLINE)
    put_text(legend, "reference", (72, LEGEND_PX - 9), 15, ORANGE)
    return np.concatenate([legend, sheet])


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows with the same keys, at least one, as a CSV file with a header."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
