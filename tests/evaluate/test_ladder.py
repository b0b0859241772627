"""The ladder: figures of rungs by hand, the regions that a model gets, and the command end to end."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.data.datasets.dataset import ItemCine
from edgeecho.errors import ConfigError, DataError, VideoError
from edgeecho.evaluate.ladder import climb, evaluate_ladder, limited
from edgeecho.evaluate.ladder_scores import FOUND, GIVEN, LadderScores
from edgeecho.preprocess import Roi
from edgeecho.runtime.segmentation import ModelInfo
from edgeecho.synthetic.degrade.ladder import find_rungs
from tests.helpers import draw_heart

Command = Callable[..., tuple[int, str, str]]


def heart(patient: str, frames: int = 9, seed: int = 0) -> Item:
    """Item of a bright ventricle in a sector, ED at frame 0 and ES at 4."""
    pictures, masks = draw_heart(np.random.default_rng(seed), frames, period=8)
    pictures = np.where(masks, 250, pictures // 3).astype(np.uint8)
    phases = {0: "ED", 4: "ES"} if frames > 4 else {0: "ED"}
    labels = {k: mask for k, mask in enumerate(masks) if k in phases or k == 2}
    return Item(patient, patient, "val", "4CH", lambda: ItemCine(pictures, 40.0, (1.0, 1.0), labels, phases, patient))


class Bright:
    """Model whose masks are the pixels over a level; it keeps what it was given."""

    info = ModelInfo("bright", "0" * 64, "clip", "fp32", "none", "0", "CC0-1.0")

    def __init__(self, level: int = 120) -> None:
        self.level = level
        self.given: list[tuple[tuple[int, ...], Roi | None, str]] = []

    def segment(self, cine: Cine, *, roi: Roi | None, flip: str) -> Any:
        self.given.append((cine.frames.shape, roi, flip))
        if cine.frames.max() < 60:
            raise VideoError("black")
        return SimpleNamespace(mask=(cine.frames > self.level).astype(np.uint8))


def scores(rungs: str, *items: Item, level: int = 120) -> LadderScores:
    return climb(Bright(level), list(items), "drawn", "val", find_rungs(rungs))


def test_figures_of_a_rung() -> None:
    """A gain under the model's threshold loses the ventricle; the clean rung and a small gain do not."""
    found = scores("gain 0.6,gain 0.4", heart("a"), heart("b", seed=1))
    for region in (GIVEN, FOUND):
        clean, mild, dark = (found.row(rung, region) for rung in ("clean", "gain 0.6", "gain 0.4"))
        assert clean is not None
        assert mild is not None
        assert dark is not None
        assert (clean.dice_mean, clean.ef_bias, clean.ef_mae, clean.patients) == (1, 0, 0, 2)
        assert mild.dice_worst == 1
        assert (dark.dice_mean, dark.dice_worst, dark.worst) == (0, 0, "a")
        assert (dark.ef_bias, dark.missing_ef, dark.refused) == (None, 2, 0)
        summary = found.summary(region)
        assert summary is not None
        assert (summary.worst_rung, summary.worst_dice, summary.mean_of_worst) == ("gain 0.4", 0, 0.5)
    assert found.patients == 2
    only_clean = scores("clean", heart("a"))
    assert only_clean.summary(GIVEN) is None


def test_an_item_that_the_product_refuses_counts_as_missed() -> None:
    row = scores("gain 0.1", heart("a")).row("gain 0.1", FOUND)
    assert row is not None
    assert (row.refused, row.dice_worst) == (1, 0)


def test_masks_that_are_too_large_have_a_bias() -> None:
    """Masks of the clean rung are exact; those of the blurred one are larger, by more at ES, so EF is too low."""
    row = scores("blur 2", heart("a"), level=40).row("blur 2", GIVEN)
    assert row is not None
    assert row.dice_mean < 1
    assert row.ef_bias is not None
    assert row.ef_mae == abs(row.ef_bias) > 0


def test_the_region_is_that_of_the_whole_frame_and_moves_with_the_picture() -> None:
    model = Bright()
    climb(model, [heart("a")], "drawn", "val", find_rungs("mirror,small 0.3"))
    clean, mirror, small = model.given[::2]
    assert clean == ((9, 128, 128), Roi(0, 0, 128, 128), "none")
    assert mirror == ((9, 128, 128), Roi(0, 0, 128, 128), "auto")
    assert small[0][1:] != (128, 128)
    assert small[1] is not None
    assert (small[1].width, small[1].height, small[2]) == (128, 128, "none")
    assert [given[1:] for given in model.given[1::2]] == [(None, "auto")] * 3


def test_a_reference_that_is_cut_off_and_no_mask_agree() -> None:
    pictures = np.full((1, 60, 60), 90, np.uint8)
    label = np.zeros((60, 60), np.uint8)
    label[1, 1] = 1  # a turn moves the corner out of the picture
    row = scores("turn 40", Item("a", "a", "val", "4CH", lambda: ItemCine(pictures, labels={0: label}))).row(
        "turn 40", GIVEN
    )
    assert row is not None
    assert (row.dice_mean, row.patients) == (1, 0)


def test_stills_do_not_lose_frames() -> None:
    found = scores("frames 2", heart("a"), heart("b", frames=1))
    row = found.row("frames 2", GIVEN)
    assert row is not None
    assert row.items == 1
    assert found.notes == ["frames 2: left out 1 of 2 items, which have fewer than 3 frames."]


def test_items_that_cannot_be_read_are_listed() -> None:
    def broken() -> ItemCine:
        raise VideoError("b.avi: cut short\nafter 3 frames")

    bare = Item("c", "c", "val", "4CH", lambda: ItemCine(np.full((1, 40, 40), 90, np.uint8)))
    found = scores("gamma 2", heart("a"), Item("b", "b", "val", "4CH", broken), bare)
    assert [(each.name, each.reason) for each in found.failed] == [
        ("b", "b.avi: cut short after 3 frames"),
        ("c", "no labelled frame"),
    ]
    with pytest.raises(DataError, match="none of the 1 items of drawn val could be evaluated; no labelled frame"):
        scores("gamma 2", bare)
    with pytest.raises(DataError, match="drawn has no items in split val"):
        scores("gamma 2")


def test_a_limit_takes_patients_at_even_steps() -> None:
    items = [replace(heart(p), name=f"{p}{phase}") for p in "abcde" for phase in "12"]
    assert [item.name for item in limited(items, 2)] == ["a1", "a2", "e1", "e2"]
    assert limited(items, None) == limited(items, 9) == items
    with pytest.raises(ConfigError, match="limit must be at least 1, got 0"):
        evaluate_ladder("default", "phantom:1", "val", limit=0)


def test_the_command(command: Command, tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    out, path = tmp_path / "out", tmp_path / "ladder.json"
    arguments = ["eval", tiny_bundle, "--data", f"camus:{camus}", "--ladder", "--rungs", "gain 0.4,turn 20"]
    code, stdout, _ = command(*arguments, "--limit", "1", "--json", path, "--out", out)
    assert code == 0
    assert "on the ladder, camus val: 1 patients" in stdout
    assert "region found: worst rung" in stdout
    values = json.loads(path.read_text())
    assert [(row["rung"], row["region"]) for row in values["rungs"]] == [
        (rung, region) for rung in ("clean", "gain 0.4", "turn 20") for region in (GIVEN, FOUND)
    ]
    assert (values["rungs"][2]["strength"], values["rungs"][2]["items"]) == (0.4, 2)
    rows = list(csv.DictReader((out / "ladder.csv").read_text().splitlines()))
    assert [row["dice_worst"] for row in rows] == [str(row["dice_worst"]) for row in values["rungs"]]
    table = (out / "ladder.md").read_text().splitlines()
    assert len({line.count("|") for line in table}) == 1
    assert [line.split(" | ")[0] for line in table[2:]] == ["| clean", "| gain 0.4", "| turn 20"]
    for name in ("ladder.png", "rungs.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rungs", "noise"], "--rungs needs --ladder"),
        (["--limit", "3"], "--limit needs --ladder"),
        (["--ladder", "--rungs", "fog"], "unknown rung 'fog'; known: clean, gain 0.4"),
    ],
)
def test_flags_that_make_no_sense(command: Command, camus: Path, flags: list[str], message: str) -> None:
    code, _, stderr = command("eval", "default", "--data", f"camus:{camus}", *flags)
    assert (code, len(stderr.splitlines())) == (2, 1)
    assert message in stderr


def test_masks_have_no_ladder(command: Command, camus: Path) -> None:
    code, _, stderr = command("eval", f"masks:{camus}", "--data", f"camus:{camus}", "--ladder")
    assert code == 2
    assert "--ladder is for a model of EdgeEcho" in stderr
