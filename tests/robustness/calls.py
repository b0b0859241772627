"""Wild calls of the public functions: arguments of every wrong kind, in random combinations.

    python -m tests.robustness.calls --calls 3000

Each call may succeed or raise an `EdgeEchoError`; anything else is a fault.
"""

import argparse
import json
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import edgeecho
from edgeecho.errors import EdgeEchoError
from tests.helpers import draw_heart
from tests.robustness.seeds import native_model

_ODD: tuple[Any, ...] = (
    None, 0, -1, 1, 50, 2**31, 2**70, 0.5, 1e308, math.nan, math.inf, -math.inf, True, "", "50", "\0", "\ud800", b"x",
    (), (1,), (1, 2), (0.5, 0.5), (1, 2, 3, 4), (0, 0, 64, 64), (-5, -5, 9**9, 9**9), (1.5, 2, 3, 4), "1234", [], {},
    object(), np.float32(0.4), np.int64(30), np.array([0.5, 0.5]), np.zeros(0),
)  # fmt: skip


def _frames(rng: np.random.Generator, heart: np.ndarray) -> Any:
    """Return frames, mostly of a wrong kind."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: heart,
        lambda: heart[0],
        lambda: heart[:1],
        lambda: heart[:, :15],
        lambda: heart[:, ::-1, ::2],
        lambda: np.repeat(heart[..., None], 3, axis=-1),
        lambda: np.repeat(heart[..., None], 4, axis=-1),
        lambda: heart.astype(np.float32),
        lambda: heart.astype(np.uint16),
        lambda: heart.astype(object),
        lambda: heart[:0],
        lambda: np.zeros((3, 1, 1), np.uint8),
        lambda: np.zeros((2, 40, 2000), np.uint8),
        lambda: np.zeros((2, 40, 20000), np.uint8),
        lambda: np.zeros((4, 64, 64), np.uint8),
        lambda: np.full((4, 64, 64), 255, np.uint8),
        lambda: heart.tolist(),
        lambda: np.array(heart).view(np.ma.MaskedArray),
        lambda: _ODD[int(rng.integers(len(_ODD)))],
    )
    return kinds[int(rng.integers(len(kinds)))]()


def make_calls(calls: int, seed: int = 0, native: Path | None = None) -> dict[str, object]:
    """Make so many calls, and return the figures.

    Args:
        calls: Number of calls.
        seed: Seed of their arguments.
        native: Native device file, which is called too.
    """
    logging.getLogger("edgeecho").setLevel(logging.ERROR)
    rng = np.random.default_rng(seed)
    heart = draw_heart(np.random.default_rng(1), frames=8)[0]
    predictor = edgeecho.load("cl_unet_nano", threads=1)
    live = edgeecho.stream("cl_unet_nano", threads=1)

    def odd() -> Any:
        return _ODD[int(rng.integers(len(_ODD)))]

    def some(**values: Callable[[], Any]) -> dict[str, Any]:
        return {name: value() for name, value in values.items() if rng.random() < 0.4}

    def few() -> Any:
        value = odd()
        return 2 if isinstance(value, int | np.integer) and 2 < value < 300 else value  # not 50 threads for each call

    settings: dict[str, Callable[[], Any]] = {"fps": odd, "spacing_mm": odd, "roi": odd, "flip": odd}
    opening: dict[str, Callable[[], Any]] = {"runtime": odd, "precision": odd, "threads": few}
    functions: tuple[Callable[[], Any], ...] = (
        lambda: predictor.segment(_frames(rng, heart), **some(**settings)),
        lambda: live.segment(_frames(rng, heart), **some(**settings)),
        lambda: live.push(_frames(rng, heart[:1])),
        lambda: live.push(heart[int(rng.integers(8))], odd()),
        lambda: live.push(heart[int(rng.integers(8))]),
        lambda: live.set_view(odd(), odd()),
        live.reset,
        live.flush,
        lambda: edgeecho.read_cine(odd(), **some(fps=odd, spacing_mm=odd, roi=odd, max_memory=odd)),
        lambda: edgeecho.load(odd(), **some(**opening)),
        lambda: edgeecho.stream("cl_unet_nano", **some(**opening, **settings)),
        lambda: edgeecho.Roi(odd(), odd(), odd(), odd()),
        lambda: edgeecho.Cine(_frames(rng, heart), **some(fps=odd, spacing_mm=odd, times_s=odd, aspect=odd)),
        lambda: predictor.segment(edgeecho.Cine(heart, **some(fps=odd, spacing_mm=odd, times_s=odd, aspect=odd))),
    )
    if native:
        by_native = edgeecho.load(native)
        functions += (
            lambda: by_native.segment(_frames(rng, heart), **some(**settings)),
            lambda: edgeecho.stream(native, **some(**opening, **settings)).push(_frames(rng, heart[:1])),
        )
    done = refused = 0
    faults: dict[str, int] = {}
    for _ in range(calls):
        index = int(rng.integers(len(functions)))
        try:
            functions[index]()
            done += 1
        except EdgeEchoError:
            refused += 1
        except Exception as error:
            import traceback

            place = traceback.extract_tb(error.__traceback__)[-1]
            where = (
                f"function {index}: {type(error).__name__}: {str(error)[:80]} ({place.filename[-40:]}:{place.lineno})"
            )
            faults[where] = faults.get(where, 0) + 1
    return {"calls": calls, "succeeded": done, "refused": refused, "faults": [f"{n} x {t}" for t, n in faults.items()]}


def call_all(calls: int, seed: int = 0) -> dict[str, object]:
    """Make so many calls, of the native engine too where it is built."""
    with native_model() as found:
        return make_calls(calls, seed, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(json.dumps(call_all(given.calls, given.seed), indent=1))
