"""Summary of a result in one to three sentences."""

from edgeecho.benchmarks.peers.peers import YARDSTICK
from edgeecho.benchmarks.render.formatting import MISSING, in_order, mean_dice, number_at, significant, speedup
from edgeecho.benchmarks.run.machine import runtime_name
from edgeecho.benchmarks.run.result import BenchResult, Row


def summary(result: BenchResult) -> list[str]:
    """Return one to three sentences: fastest row, most accurate row, failed rows.

    Networks with random weights appear with their time alone.
    """
    timed = [row for row in in_order(result.rows) if row.ms_per_frame]
    ours = [row for row in timed if row.weights != "random" and row.model != YARDSTICK]
    if not timed:
        return ["No row was timed."]
    best, base = (ours or timed)[0], result.yardstick()
    sentences = [
        f"Fastest{' trained network' if best.weights == 'trained' else ''}: {_ran(best)}, "
        f"{significant(best.ms_per_frame)} ms a frame{_with_dice(best)}"
    ]
    if base and base is not best and best.speedup_vs_unet3d:
        sentences[0] += (
            f", {speedup(best.speedup_vs_unet3d)} the speed of the standard 3D U-Net's fp32 in ONNX Runtime"
            f" ({significant(base.ms_per_frame)} ms)"
        )
    same = next(
        (
            r
            for r in timed
            if r.model == YARDSTICK
            and r is not base
            and (r.runtime, r.precision_asked, r.form) == (best.runtime, best.precision_asked, best.form)
        ),
        None,
    )
    if same and best.ms_per_frame and same.ms_per_frame and best is not same:
        sentences[0] += (
            f" and {speedup(same.ms_per_frame / best.ms_per_frame)} that of its {same.precision_asked} in "
            "the same runtime"
        )
    sentences[0] += "."
    with_accuracy = [row for row in timed if mean_dice(row) is not None]
    if with_accuracy:
        most = max(with_accuracy, key=lambda row: (mean_dice(row) or 0, -(row.ms_per_frame or 0)))
        if most is not best:
            sentences.append(
                f"Most accurate: {_ran(most)}, {significant(most.ms_per_frame)} ms a frame{_with_dice(most)}."
            )
    failed = sum(bool(row.error) for row in result.rows)
    if failed:
        sentences.append(f"{failed} of {len(result.rows)} rows failed.")
    return sentences


def _ran(row: Row) -> str:
    """Describe a row, such as `cl_unet_edge, int8 in OpenVINO as a stream`."""
    form = " as a stream" if row.form == "stream" else ""
    return f"{row.model}, {row.precision_asked or row.precision_run or 'one file'} in {runtime_name(row.runtime)}{form}"


def _with_dice(row: Row) -> str:
    values = [significant(number_at(row.accuracy, key), 3) for key in ("dice_ed", "dice_es")]
    return f", Dice {values[0]} (ED) and {values[1]} (ES)" if MISSING not in values else ""
