"""Threads: predictors that several of them share, and streams that they must not share.

    python -m tests.robustness.threads

A `Predictor` must give every thread its own answer; a `StreamingPredictor` that two threads meet in must refuse one.
"""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import edgeecho
from edgeecho.errors import ConcurrentUseError
from tests.helpers import draw_heart
from tests.robustness.seeds import native_model


def run_threads(
    rounds: int, runtimes: Sequence[str] = ("ort", "openvino", "torch"), native: Path | None = None
) -> dict[str, object]:
    """Segment different cines in two threads at once, and push frames of two into one stream.

    Args:
        rounds: Number of cines that each thread segments, by each runtime.
        runtimes: Engines of the packaged model.
        native: Native device file, which the native engine runs too.
    """
    hearts = [draw_heart(np.random.default_rng(seed), frames=12)[0] for seed in (1, 2)]
    answers, faults = 0, list[str]()
    models: dict[str, str | Path] = dict.fromkeys(runtimes, "cl_unet_nano") | ({"native": native} if native else {})
    for runtime, model in models.items():
        predictor = edgeecho.load(model, runtime=runtime, threads=1)
        right = [predictor.segment(heart).mask for heart in hearts]
        wrong = [0, 0]

        def segment(index: int, predictor=predictor, right=right, wrong=wrong) -> None:  # type: ignore[no-untyped-def]
            for _ in range(rounds):
                wrong[index] += not np.array_equal(predictor.segment(hearts[index]).mask, right[index])

        _at_once(segment)
        answers += 2 * rounds
        faults += [f"{runtime}: {sum(wrong)} of {2 * rounds} answers are wrong"] if any(wrong) else []
    refused = {str(model): _share_a_stream(hearts, model) for model in ("cl_unet_nano", native) if model}
    faults += [f"one stream of {model} in two threads was not refused" for model, times in refused.items() if not times]
    return {"answers": answers, "refused_pushes": sum(refused.values()), "faults": faults}


def _share_a_stream(hearts: list[np.ndarray], model: str | Path) -> int:
    """Push frames into one stream from two threads, and return how often one of them was refused."""
    live, refused = edgeecho.stream(model, threads=1), [0, 0]

    def push(index: int) -> None:
        for number in range(200):
            try:
                live.push(hearts[index][number % len(hearts[index])])
            except ConcurrentUseError:
                refused[index] += 1

    _at_once(push)
    return sum(refused)


def _at_once(work) -> None:  # type: ignore[no-untyped-def]
    threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def share_all(rounds: int) -> dict[str, object]:
    """Share predictors of every engine, of the native one where it is built."""
    with native_model() as found:
        return run_threads(rounds, native=found)


if __name__ == "__main__":
    print(json.dumps(share_all(20), indent=1))
