"""Pairs of views: which cines belong together, and their biplane figures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.batch import CineOptions, CineTask, Outcome
from edgeecho.batch.pairs import Pair, find_pairs, measure_pair
from edgeecho.errors import ConfigError
from edgeecho.measure import discs_of, simpson_biplane_volume_ml

SPACING = (0.5, 0.5)


def tasks(*names: str) -> list[CineTask]:
    return [CineTask(f"/cines/{name}.avi", name, CineOptions()) for name in names]


@pytest.mark.parametrize(
    ("four", "two", "study"),
    [
        ("p1_4CH", "p1_2CH", "p1"),
        ("anna-A4C-rest", "anna-a2c-rest", "anna--rest"),
        ("AP4_07", "AP2_07", "07"),
        ("p1 4-chamber", "p1 2-chamber", "p1"),
    ],
)
def test_pairs_by_their_names(four: str, two: str, study: str) -> None:
    pairs = find_pairs("names", tasks("other", two, four, "lone_4CH"))
    assert pairs == [Pair(study, four, two)]


def test_names_that_are_no_views_make_no_pair() -> None:
    with pytest.raises(ConfigError, match="no pair found"):
        find_pairs("names", tasks("patient4", "patient2", "x44ch", "x42ch", "b_4CH", "b_4CH_again", "b_2CH_again2"))


def test_pairs_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("study,four_chamber,two_chamber\ns,a,b.avi\n")
    assert find_pairs(str(table), tasks("a", "b")) == [Pair("s", "a", "b")]
    with pytest.raises(ConfigError, match="'a' is no cine of this run"):
        find_pairs(str(table), tasks("b"))
    table.write_text("study,four,two\ns,a,b\n")
    with pytest.raises(ConfigError, match="a CSV with study, four_chamber, two_chamber"):
        find_pairs(str(table), tasks("a", "b"))


def outcome(folder: Path, name: str, length: int, verdict: str = "report", **changes: Any) -> Outcome:
    """Return the outcome of a cine with ellipses of some half length at ED (frames 0 and 8) and ES (4 and 12)."""
    import cv2

    mask = np.zeros((16, 200, 200), np.uint8)
    for frame in range(16):
        part = 1.0 if frame % 8 < 3 else 0.8
        cv2.ellipse(mask[frame], (100, 100), (round(30 * part), round(length * part)), 0, 0, 360, 1, -1)
    beats = []
    for ed in (0, 8):
        edv, esv = (discs_of(mask[frame], SPACING).volume() / 1000 for frame in (ed, ed + 4))
        volumes = {"edv_ml": edv, "esv_ml": esv, "sv_ml": edv - esv, "ef_percent": 100 * (edv - esv) / edv}
        rest = {"heart_rate_bpm": 60.0, "is_used": True, "reasons": []}
        beats.append({"ed_frame": ed, "es_frame": ed + 4, **volumes, **rest})
    figures = {"frames": 16, "height": 200, "width": 200, "fps": 8.0, "spacing_mm": list(SPACING), "beats": beats}
    level = [{"code": "rough", "level": verdict, "text": "rough"}] if verdict != "report" else []
    figures |= {"verdict": verdict, "reasons": level, **changes}
    np.savez(folder / f"{name}.npz", mask=mask)
    (folder / f"{name}.json").write_text(json.dumps(figures))
    return Outcome(tasks(name)[0], figures, (str(folder / f"{name}.json"),))


def test_biplane_figures_of_a_pair(tmp_path: Path) -> None:
    outcomes = {"a": outcome(tmp_path, "a", 50), "b": outcome(tmp_path, "b", 52)}
    result = measure_pair(Pair("s", "a", "b"), outcomes)
    masks = [np.load(tmp_path / f"{name}.npz")["mask"] for name in "ab"]
    edv, esv = (simpson_biplane_volume_ml(masks[0][f], masks[1][f], SPACING) for f in (0, 4))
    assert (result.edv_ml, result.esv_ml) == (pytest.approx(edv), pytest.approx(esv))
    assert result.ef_percent == pytest.approx(100 * (edv - esv) / edv)
    assert (result.verdict, result.beats, result.reasons) == ("report", 2, ())


def test_lengths_that_differ_are_to_be_reviewed(tmp_path: Path) -> None:
    result = measure_pair(Pair("s", "a", "b"), {"a": outcome(tmp_path, "a", 50), "b": outcome(tmp_path, "b", 57)})
    assert result.verdict == "review"
    assert "differ by more than 10%" in result.reasons[0]
    assert result.ef_percent is not None


@pytest.mark.parametrize(
    ("change", "verdict", "why"),
    [
        ({"verdict": "withhold"}, "withhold", "2CH: rough"),
        ({"spacing_mm": None}, "withhold", "biplane needs the pixel spacing"),
        ({"beats": []}, "withhold", "no beat was measured in both views"),
    ],
)
def test_pairs_without_an_ef(tmp_path: Path, change: Any, verdict: str, why: str) -> None:
    result = measure_pair(
        Pair("s", "a", "b"), {"a": outcome(tmp_path, "a", 50), "b": outcome(tmp_path, "b", 50, **change)}
    )
    assert (result.verdict, result.ef_percent) == (verdict, None)
    assert why in result.reasons[0]


def test_a_cine_that_failed_gives_no_pair(tmp_path: Path) -> None:
    outcomes = {"a": outcome(tmp_path, "a", 50), "b": Outcome(tasks("b")[0], error="no video")}
    assert measure_pair(Pair("s", "a", "b"), outcomes).verdict == "failed"
