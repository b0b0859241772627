"""`edgeecho demo`: segmentation, export and benchmark with one real cine, in under two minutes."""

import time
from collections.abc import Callable
from pathlib import Path

from edgeecho.cli.console import show, table_console
from edgeecho.errors import require
from edgeecho.model.registry import DEFAULT_MODEL
from edgeecho.model.spec import NOTICE
from edgeecho.runtime import load


def run_demo(out: Path, say: Callable[[str], None]) -> None:
    """Segment the A4C cine inside the `pydicom` package, export int8 from the checkpoint, benchmark.

    Args:
        out: Folder for everything that is written.
        say: Function that is called with each line of progress.
    """
    from edgeecho.report import contact_sheet, write_png
    from edgeecho.report.marks import verdict_in_words
    from edgeecho.report.results import result_files, write_results

    started = time.monotonic()
    console = table_console()
    pydicom = require("pydicom", "dicom")
    require("torch", "export")
    from edgeecho.benchmarks.render.table import render_table
    from edgeecho.benchmarks.run.bench import run_bench
    from edgeecho.benchmarks.run.protocol import Extras, Rules
    from edgeecho.cine import read_cine
    from edgeecho.export.bundle import export
    from edgeecho.export.write.table import render_bundle

    say("1/3 segmenting a real apical four-chamber cine (SonoSite, from the pydicom package)")
    source = Path(pydicom.examples.get_path("ybr_color"))
    cine = read_cine(source)
    result = load().segment(cine)
    files = result_files(out / "segment", source.stem)
    figures = write_results(files, str(source), cine, result)
    frames = sorted({0, *result.ed_frames, *result.es_frames, len(result.mask) // 2})
    names = dict.fromkeys(result.ed_frames, "ED") | dict.fromkeys(result.es_frames, "ES")
    labels = [f"{names[i]}, frame {i}" if i in names else f"frame {i}" for i in frames]
    sheet = out / "segment" / "sheet.png"
    write_png(sheet, contact_sheet(cine.frames, result.mask, frames, labels=labels))
    counts = f"{len(result.mask)} frames, {len(result.beats)} beat(s)"
    console.print(f"{counts}, {verdict_in_words(figures)}", highlight=False)

    say("2/3 exporting int8 from the packaged checkpoint")
    bundle = export(DEFAULT_MODEL, out / DEFAULT_MODEL, progress=lambda text: say(f"    {text}"))
    show(render_bundle(bundle), console)

    say("3/3 benchmarking against the standard 3D U-Net, one thread, ONNX Runtime")
    ours = [str(out / DEFAULT_MODEL / f"clip.{precision}.onnx") for precision in ("int8", "fp32")]
    bench = run_bench(
        [*ours, "unet3d"],
        ["ort"],
        ["fp32"],
        forms=["clip"],
        rules=Rules(min_seconds=2, max_seconds=6),
        extras=Extras(end_to_end=False),
        progress=lambda step, steps, what: say(f"    [{step}/{steps}] {what}"),
    )
    show(render_table(bench, console.width), console)

    console.print(f"\nDone in {time.monotonic() - started:.0f} s. Look at:", highlight=False)
    for path in (files[1], files[2], sheet, out / DEFAULT_MODEL / "bundle.json"):
        console.print(f"  {path}", highlight=False, soft_wrap=True)
    console.print(NOTICE)
