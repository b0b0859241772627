"""The study of the claim: order of its runs, learning rates, stored clips, resumed runs, and paired differences."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("onnxsim")

from edgeecho.errors import ConfigError  # noqa: E402
from edgeecho.train.state import State  # noqa: E402
from studies import claim, claim_clips, claim_networks, claim_run, claim_table  # noqa: E402
from studies.claim_networks import ROWS, ClipNetwork, Row, build_row, definition  # noqa: E402
from studies.claim_run import Job, Study, read_results, run_job  # noqa: E402

TINY = Row(
    title="tiny",
    family="cl_unet_edge",
    config={"widths": (8, 16), "encoder_time": (False, True), "decoder_time": (False,)},
    rates=(1e-3, 3e-3, 1e-2),
    light=True,
    pools=False,
)
DOCS = Path(__file__).parents[2] / "docs"
PARAMETERS = {
    "cl_unet_edge": 967_516,
    "banded": 2_639_596,
    "without_bands": 1_630_972,
    "without_bands_wider": 2_654_564,
    "unet3d": 19_068_097,
    "simlvseg": 18_832_525,
    "dynunet": 16_052_097,
}


def result(row: str, kind: str, rate: float, dice: float, seed: int = 1) -> dict[str, Any]:
    curve = [{"step": 1, "clips": 4, "held_out": {"ED": dice + 0.01, "ES": dice - 0.01}, "cpu_s": 36.0}]
    found = {
        "row": row,
        "kind": kind,
        "rate": rate,
        "seed": seed,
        "clips": 4,
        "curve": curve,
        "network": definition(row),
        "precision": "fp32",
    }
    return found | {"macs_a_frame": 10**9}


def rate_runs(row: str, dice: dict[float, float]) -> list[dict[str, Any]]:
    return [result(row, "rate", rate, value) for rate, value in dice.items()]


# Networks


class Recorder(torch.nn.Module):
    """A network that returns the first channel, and keeps what it got."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.got = x
        return x[:, :1] * 2


def test_a_short_clip_is_made_longer_and_cut_back() -> None:
    inner = Recorder()
    network = ClipNetwork(inner, in_channels=3, multiple=4)
    clip = torch.arange(5.0).reshape(1, 1, 5, 1, 1).expand(1, 1, 5, 2, 2)
    assert torch.equal(network(clip), clip * 2)
    assert inner.got.shape == (1, 3, 8, 2, 2)
    assert inner.got[0, 2, :, 0, 0].tolist() == [0, 0, 1, 2, 3, 4, 4, 4]
    frames = torch.rand(4, 1, 2, 2)
    assert torch.equal(network.forward_frames(frames), frames * 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_every_network_trains_on_a_clip_of_eight_frames(name: str) -> None:
    network = build_row(ROWS[name], seed=1)
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[name]
    logits = network(torch.rand(1, 1, 8, 32, 32))
    assert logits.shape == (1, 1, 8, 32, 32)
    logits.square().mean().backward()
    # A bias before a norm, and what feeds only such biases, may have no effect; every weight of a convolution has one.
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_equal_seeds_give_equal_weights() -> None:
    first, again, other = (build_row(TINY, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


# Order of the runs


def plan(tmp_path: Path, results: list[dict[str, Any]], rows: list[str] | None = None) -> list[Job]:
    return list(claim.planned(Study("", tmp_path, 12000, "fp32"), rows or list(ROWS), [1, 2, 3], results))


def test_the_plan_begins_with_the_learning_rates_of_the_light_networks(tmp_path: Path) -> None:
    jobs = plan(tmp_path, [])
    assert jobs[0] == Job("cl_unet_edge", 1e-3, 1, 3000, "rate")
    assert [job.row for job in jobs] == [name for name in ROWS for _ in range(3)]
    assert {job.kind for job in jobs} == {"rate"}


def test_full_runs_use_the_best_rate_and_heavy_networks_wait_with_further_seeds(tmp_path: Path) -> None:
    middle = {1e-3: 0.8, 3e-3: 0.9, 1e-2: 0.85}
    results = rate_runs("cl_unet_edge", middle) + rate_runs("unet3d", {3e-4: 0.8, 1e-3: 0.9, 3e-3: 0.85})
    results.append(result("cl_unet_edge", "full", 3e-3, 0.92, seed=2))
    jobs = [(job.row, job.rate, job.seed, job.clips) for job in plan(tmp_path, results) if job.kind == "full"]
    edge, heavy = (
        [("cl_unet_edge", 3e-3, seed, 12000) for seed in (1, 3)],
        [("unet3d", 1e-3, n, 12000) for n in (1, 2, 3)],
    )
    assert jobs == edge + heavy
    order = [(job.row, job.kind, job.seed) for job in plan(tmp_path, results)]
    assert order.index(("unet3d", "full", 1)) < order.index(("dynunet", "rate", 1)) < order.index(("unet3d", "full", 2))


@pytest.mark.parametrize(
    ("dice", "missing"),
    [
        ({1e-3: 0.8}, [3e-3, 1e-2]),
        ({1e-3: 0.8, 3e-3: 0.9, 1e-2: 0.85}, []),
        ({1e-3: 0.8, 3e-3: 0.9, 1e-2: 0.95}, [3e-2]),
        ({1e-3: 0.95, 3e-3: 0.9, 1e-2: 0.85}, [3e-4]),
        ({1e-3: 0.8, 3e-3: 0.9, 1e-2: 0.95, 3e-2: 0.96, 1e-1: 0.97}, []),
    ],
)
def test_a_rate_beyond_the_end_is_tried_where_the_end_is_best(dice: dict[float, float], missing: list[float]) -> None:
    assert claim.missing_rates("cl_unet_edge", rate_runs("cl_unet_edge", dice)) == pytest.approx(missing)


# Clips and runs


@pytest.fixture
def study(camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study of one tiny network, of 40 clips, on the drawn data set."""
    monkeypatch.setitem(ROWS, "tiny", TINY)
    monkeypatch.setattr(claim_clips, "HELD_OUT", 2)
    return Study(f"camus:{camus}", tmp_path, 40, "fp32")


def test_clips_are_stored_once_and_do_not_depend_on_their_number(study: Study, tmp_path: Path) -> None:
    stored = claim_clips.stored_clips(study.data, 1, 16, tmp_path / "short")
    longer = claim_clips.stored_clips(study.data, 1, 24, tmp_path / "long")
    other = claim_clips.stored_clips(study.data, 2, 16, tmp_path / "short")
    for step in range(4):
        batch = stored.batch(step)
        assert batch["frames"].shape == (4, 8, 64, 64)
        assert batch["labelled"].any(dim=1).all()
        assert all(torch.equal(batch[name], longer.batch(step)[name]) for name in batch)
    assert not torch.equal(stored.batch(0)["frames"], other.batch(0)["frames"])
    before = (tmp_path / "short/clips/seed1/frames.npy").stat().st_mtime_ns
    claim_clips.stored_clips(study.data, 1, 16, tmp_path / "short")
    assert (tmp_path / "short/clips/seed1/frames.npy").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="holds other clips"):
        claim_clips.stored_clips(study.data, 1, 24, tmp_path / "short")


def test_no_patient_is_in_two_of_the_three_groups(study: Study) -> None:
    trained = {item.group for item in claim_clips.split(study.data)[0]}
    held_out, measured_on = (set(claim_clips.Patients(study.data, split, 1).of) for split in ("held-out", "val"))
    assert (len(trained), len(held_out), measured_on) == (4, 2, {"patient0007", "patient0008"})
    assert not trained & held_out
    assert not (trained | held_out) & measured_on


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"curve": [{k: v for k, v in point.items() if k != "cpu_s"} for point in found["curve"]]}


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_result(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    job, steps = Job("tiny", 3e-3, 1, 40, "full"), []
    advance = State.advance

    def killed_at_step_6(self: State, *batch: Any) -> dict[str, torch.Tensor]:
        if self.step == 6:
            raise KeyboardInterrupt
        return advance(self, *batch)

    whole = replace(study, out=study.out / "whole")
    run_job(job, whole)
    monkeypatch.setattr(State, "advance", killed_at_step_6)
    with pytest.raises(KeyboardInterrupt):
        run_job(job, study)
    assert read_results(study) == []
    monkeypatch.setattr(State, "advance", lambda self, *batch: (steps.append(self.step), advance(self, *batch))[1])
    run_job(job, study)
    assert steps == [6, 7, 8, 9]
    (found,), (wanted,) = read_results(study), read_results(whole)
    assert without_times(found) == without_times(wanted)
    assert [point["clips"] for point in found["curve"]] == list(range(4, 44, 4))
    assert sorted(found["validation"]) == ["patient0007", "patient0008"]
    assert set(found["validation"]["patient0007"]) == {"ED", "ES"}
    assert found["network"]["parameters"] == sum(p.numel() for p in build_row(TINY, 1).parameters())
    weights = [torch.load(each.folder(job) / claim_run.WEIGHTS, weights_only=True) for each in (study, whole)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not (study.folder(job) / claim_run.STATE).exists()


@pytest.mark.slow
def test_a_run_that_diverges_ends_with_a_dice_of_0(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "advance", lambda self, *batch: {"labels": float("nan")})
    run_job(Job("tiny", 3e-3, 1, 10, "rate"), study)
    (found,) = read_results(study)
    assert [point["held_out"] for point in found["curve"]] == [{"ED": 0.0, "ES": 0.0}]
    assert claim.tried_rates("tiny", [found]) == {3e-3: 0.0}


def test_results_of_another_network_are_refused(tmp_path: Path) -> None:
    study = Study("", tmp_path, 12000, "fp32")
    found = result("unet3d", "rate", 1e-3, 0.9) | {"clips": 3000}
    path = study.folder(Job("unet3d", 1e-3, 1, 3000, "rate")) / claim_run.RESULT
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(found))
    assert read_results(study) == [found]
    older = {key: value for key, value in found["network"]["config"].items() if key != "classes"} | {"gone": 1}
    path.write_text(json.dumps(found | {"network": found["network"] | {"config": older}}))
    assert len(read_results(study)) == 1, "a field that is new, or gone, makes no other network"
    for other in ({"config": older | {"base_channels": 16}}, {"parameters": 10**6}):
        path.write_text(json.dumps(found | {"network": found["network"] | other}))
        with pytest.raises(ConfigError, match=r"runs of unet3d are of another network .*; move their folders away"):
            read_results(study)


@pytest.mark.parametrize(("clips", "precision"), [(12000, "bf16"), (3200, "fp32")])
def test_results_of_another_length_or_precision_are_refused(tmp_path: Path, clips: int, precision: str) -> None:
    study = Study("", tmp_path, clips, precision)
    path = study.folder(Job("unet3d", 1e-3, 1, 3000, "rate")) / claim_run.RESULT
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(result("unet3d", "rate", 1e-3, 0.9) | {"clips": 3000}))
    with pytest.raises(ConfigError, match=r"a run of unet3d has 3000 clips in fp32, those of this study "):
        read_results(study)


def test_runs_that_were_finished_elsewhere_count(tmp_path: Path) -> None:
    study = Study("", tmp_path / "out", 12000, "fp32", tmp_path / "claim.json")
    elsewhere = [run | {"clips": 3000} for run in rate_runs("cl_unet_edge", {1e-3: 0.8, 3e-3: 0.9})]
    (tmp_path / "claim.json").write_text(json.dumps(elsewhere))
    path = study.folder(Job("cl_unet_edge", 3e-3, 1, 3000, "rate")) / claim_run.RESULT
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(own := elsewhere[1] | {"revision": "here"}))
    assert read_results(study) == [elsewhere[0], own]
    jobs = list(claim.planned(study, ["cl_unet_edge"], [1], read_results(study)))
    assert jobs == [Job("cl_unet_edge", 1e-2, 1, 3000, "rate")]


def test_a_run_belongs_to_one_process(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Job] = []
    monkeypatch.setattr(claim, "run_job", lambda job, its: started.append(job))
    first = study.folder(Job("tiny", 1e-3, 1, 10, "rate"))
    with claim_clips.lock(first / "lock", wait=False) as free:
        assert free
        with claim_clips.lock(first / "lock", wait=False) as again:
            assert not again
        assert claim.run_next(study, ["tiny"], [1])
    assert [job.rate for job in started] == [3e-3]


# Figures


def measured(row: str, seed: int, dice: dict[str, float]) -> dict[str, Any]:
    scores = {patient: {"ED": value, "ES": value - 0.1} for patient, value in dice.items()}
    return result(row, "full", 1e-3, 0.9, seed) | {"validation": scores}


def test_differences_are_paired_by_patient_and_averaged_over_seeds() -> None:
    ours = [measured("cl_unet_edge", 1, {"a": 0.9, "b": 0.7}), measured("cl_unet_edge", 2, {"a": 0.8, "b": 0.8})]
    standard = [measured("unet3d", 1, {"a": 0.83, "b": 0.73})]
    assert claim_table.paired_difference(ours, standard, "ED") == pytest.approx((0.02, 0.02, 0.02))
    mean, low, high = claim_table.paired_difference(ours[:1], standard, "ES")
    assert mean == pytest.approx(0.02)
    assert (low, high) == pytest.approx((-0.03, 0.07))


def test_a_dice_without_a_value_counts_as_0() -> None:
    runs = [measured("unet3d", 1, {"a": float("nan"), "b": 0.8})]
    assert claim_table.patient_dice(runs, "ED") == {"a": 0.0, "b": 0.8}
    assert claim_run.mean_dice({"a": {"ED": float("nan")}, "b": {"ED": 0.8, "ES": 0.6}}) == {"ED": 0.4, "ES": 0.6}


def test_the_report_has_tables_curves_and_all_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        *rate_runs("cl_unet_edge", {1e-3: 0.85, 3e-3: 0.84}),
        measured("cl_unet_edge", 1, {"a": 0.9, "b": 0.8}),
        measured("cl_unet_edge", 2, {"a": 0.92, "b": 0.82}),
        measured("unet3d", 1, {"a": 0.9, "b": 0.8}),
    ]
    claim_table.report(results, list(ROWS), tmp_path)
    printed = capsys.readouterr().out
    row = "| cl_unet_edge | 967,516 | 1.000 G | 0.001 | 1, 2 | 0.8600 (0.0141) | 0.7600 (0.0141) | "
    row += "+0.0100 (+0.0100 to +0.0100) | +0.0100 (+0.0100 to +0.0100) | +0.0500 | 0.01 |"
    assert row in printed
    assert "| standard 3D U-Net | 19,068,097 | 1.000 G | 0.001 | 1 | 0.8500 | 0.7500 |  |  |  | 0.01 |" in printed
    assert "| cl_unet_edge | 0.001 | 4 | 0.8600 | 0.8400 | **0.8500** |" in printed
    assert json.loads((tmp_path / "claim.json").read_text()) == results
    assert (tmp_path / "claim.png").stat().st_size > 1000


def test_the_page_has_what_the_committed_runs_give() -> None:
    results = json.loads((DOCS / "claim.json").read_text())
    page = (DOCS / "ablations.md").read_text()
    for table in (claim_table.measured(results, list(ROWS)), claim_table.rates(results, list(ROWS))):
        assert "\n".join(table) in page


def test_clips_of_the_study_fit_its_networks() -> None:
    assert claim_clips.SETTINGS["clips.frames"] == claim_networks.FRAMES
    config = claim_clips.config_of(seed=2, clips=12000, rate=1e-3)
    assert (config.run.seed, config.optim.steps, config.optim.learning_rate) == (2, 3000, 1e-3)
    assert config.clips.phantom == 0
    assert (config.loss.cycle, config.loss.interpolation, config.loss.smooth, config.loss.beats) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--clips", "1000"], "--clips must be a multiple of 160, got 1000"),
        (["--rows", "unet3d,unet4d"], "unknown rows unet4d; known: cl_unet_edge,"),
        (["--rows", "cl_unet_edge"], "error: nothing"),
    ],
)
def test_wrong_options_are_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["claim", "camus:nothing", "--out", str(tmp_path), *arguments])
    with pytest.raises(SystemExit) as end:
        claim.main()
    assert message in f"{capsys.readouterr().err}{end.value}"
