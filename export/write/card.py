"""Model card of a bundle: description of the model, acceptance test, proof, and pictures of its outlines."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data.datasets.licences import terms_of
from edgeecho.errors import MissingExtraError, require
from edgeecho.export.check.figures import Figure
from edgeecho.export.check.proof import CheckResult, open_file
from edgeecho.export.int8.calibrate import PHANTOM_PX, PHANTOM_SEED
from edgeecho.export.int8.quantize import PROCESSORS
from edgeecho.export.options import Options
from edgeecho.export.pipeline import Bundle
from edgeecho.export.write.clip_files import SUFFIX, formats_of
from edgeecho.files import atomic
from edgeecho.model.spec import NOTICE
from edgeecho.preprocess import UPRIGHT
from edgeecho.report.draw import TEXT, draw_outline, put_text, to_bgr
from edgeecho.synthetic.phantom import PhantomHeart

CARD, PICTURE = "CARD.md", "card.png"
SIDE_PX = 288
"""Side of one picture in pixels."""
SHOWN_CINES = 3


def write_card(bundle: Bundle, options: Options) -> None:
    """Write `CARD.md` and, if clip graphs were requested, `card.png` into the bundle's folder."""
    files = [path for path in _shown_files(bundle.folder, options) if path.is_file()]
    if files:
        with atomic(bundle.folder / PICTURE) as temporary:
            temporary.write_bytes(cv2.imencode(".png", _picture(files))[1].tobytes())
    with atomic(bundle.folder / CARD) as temporary:
        temporary.write_text(_text(bundle, options, [path.name for path in files]))


def _shown_files(folder: Path, options: Options) -> list[Path]:
    fit = formats_of(options.precision, options)
    suffix = SUFFIX[next(kind for kind in SUFFIX if kind in fit)]
    return [folder / f"clip.{name}{suffix}" for name in dict.fromkeys(["fp32", options.precision])]


def _picture(files: list[Path]) -> np.ndarray:
    """Draw a picture with one row a cine and one column a file, uint8 BGR."""
    predictors = [(path.name, open_file(path)) for path in files]
    rows = []
    for cine in _shown_cines():
        middle = len(cine.frames) // 2
        row = []
        for name, predictor in predictors:
            result = predictor.segment(cine, flip=UPRIGHT)
            ef = result.measurement.ef_percent
            found = "no EF" if ef is None else f"EF {ef:.1f}%"
            row.append(_panel(cine.frames[middle], result.mask[middle], f"{name}   {found}"))
        rows.append(np.hstack(row))
    return np.vstack(rows)


def _panel(frame: np.ndarray, mask: np.ndarray, text: str) -> np.ndarray:
    picture = to_bgr(frame)
    draw_outline(picture, mask, thickness=1)
    scale = SIDE_PX / max(picture.shape[:2])
    picture = cv2.resize(
        picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    panel = np.zeros((SIDE_PX + 24, SIDE_PX, 3), np.uint8)
    panel[24 : 24 + picture.shape[0], : picture.shape[1]] = picture[:SIDE_PX, :SIDE_PX]
    put_text(panel, text, (6, 16), 12, TEXT)
    return panel


@cache
def _shown_cines() -> list[Cine]:
    """Return drawn cines and the example of pydicom; a card is published, so it shows no other patient."""
    cines = [PhantomHeart((PHANTOM_SEED, 3, i), PHANTOM_PX).cine(f"phantom {i}") for i in range(SHOWN_CINES)]
    try:
        pydicom = require("pydicom", "dicom")
    except MissingExtraError:
        return cines
    return [read_cine(pydicom.examples.get_path("ybr_color")), *cines[1:]]


def _text(bundle: Bundle, options: Options, shown: list[str]) -> str:
    spec = bundle.spec
    before, after = spec.context_frames
    lowerings = (f"{kind} {options.lowering(kind, spec.context_frames)}" for kind in options.formats)
    lines = [
        f"# {spec.name}: exported for {options.target}",
        "",
        f"Outlines the left-ventricular cavity in every frame of an apical echo cine. **{NOTICE}**",
        "",
        "| | |",
        "|---|---|",
        f"| network | family `{spec.family}`, {spec.params:,} parameters |",
        f"| input | uint8 grey frames of {spec.size_px}x{spec.size_px}: the square region around the sector |",
        f"| output | uint8 probability; at least {spec.threshold} is cavity |",
        f"| time | an answer depends on {before} frames before and {after} after; a stream comes {after} frames late |",
        f"| trained on | {spec.trained_on} |",
        f"| weights made by | revision {spec.revision}{f', recipe of SHA-256 {spec.recipe}' if spec.recipe else ''} |",
        f"| licence of the weights | {spec.licence} |",
        f"| its terms | {' '.join(terms_of(spec.licence)) or 'see the licence'} |",
        f"| intended use | {spec.intended_use} |",
        f"| lowering of clips | {', '.join(lowerings)} |",
    ]
    if bundle.int8:
        lines.append(f"| int8 calibrated on | {bundle.calibration}; ranges by {options.method} |")
        lines.append(f"| bits of int8 weights | {options.weight_bits}; proven on {PROCESSORS[options.weight_bits]} |")
        floats = ", ".join(bundle.kept_float) or "none"
        lines.append(f"| convolutions given back to float | {floats} |")
    if bundle.gate:
        lines.append(f"| acceptance test | {'refused' if bundle.refusals else 'accepted'} |")
    lines += ["", "```", options.command(spec.name), "```"]
    if bundle.gate:
        cines = f"{bundle.gate_cines} cines, seed {options.gate_seed}"
        title = f"## Acceptance test: {options.precision} against fp32 on {cines}"
        about = (
            "Each figure's interval must lie within its limit; docs/export.md explains the figures. `disagreement` and "
            "`area_spread` are multiples of what noise of one grey level, which no one can see, does to fp32. Figures "
            "without a limit are reported and decide nothing."
        )
        lines += ["", title, "", about, "", *_acceptance(bundle.gate)]
        lines += ["", *(f"**Refused:** {text}" for text in bundle.refusals)]
    if bundle.costs:
        lines += ["", "What is left of the figure that failed, with one convolution in float:", ""]
        lines += ["| convolution | figure left |", "|---|---|", *(f"| {n} | {v:.4g} |" for n, v in bundle.costs)]
    proof = "Each file against the one that it must equal, within the limit."
    lines += ["", "## Proof", "", proof, "", *_table(bundle.proof)]
    if shown:
        lines += ["", f"## How it looks: {' and '.join(shown)}, the same frame", "", f"![outlines]({PICTURE})"]
    return "\n".join([*lines, ""])


def _acceptance(figures: list[Figure]) -> list[str]:
    rows = ["| file | figure | value | interval | limit | cines | worst cines |", "|---|---|---|---|---|---|---|"]
    for f in figures:
        limit = "" if f.limit is None else f"{f.limit:g}"
        worst = ", ".join(f.worst)
        rows.append(f"| {f.file} | {f.figure} | {f.value:.3g} | {f.interval} | {limit} | {f.cines} | {worst} |")
    return rows


def _table(proof: list[CheckResult]) -> list[str]:
    rows = ["| file | against | figure | value | worst | limit |", "|---|---|---|---|---|---|"]
    rows += [f"| {r.file} | {r.against} | {r.figure} | {r.value:.4g} | {r.worst:.4g} | {r.limit:g} |" for r in proof]
    return rows
