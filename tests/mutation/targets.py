"""What is mutated, and which tests must notice: of each part its files, and the tests of that part alone."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Part:
    """Files that are mutated, and the tests that run against each mutant."""

    name: str
    files: tuple[str, ...]
    """Patterns below the repository's root."""
    tests: tuple[str, ...]
    """Files and folders of tests, in the order in which they run; the first failure ends a run."""

    def sources(self) -> list[Path]:
        """Return the files, sorted, without those that only list names."""
        found = {path for pattern in self.files for path in ROOT.glob(pattern)}
        return sorted(path for path in found if path.name != "__init__.py")


PYTHON_PARTS = (
    Part(
        "measure",
        ("edgeecho/measure/*.py",),
        tuple(
            f"tests/measure/test_{name}.py"
            for name in (
                "constants",
                "golden",
                "component",
                "volumes",
                "beat_detector",
                "beat_meter",
                "rigid_motion",
                "reasons",
            )
        ),
    ),
    Part("preprocess", ("edgeecho/preprocess/*.py",), ("tests/preprocess/test_limits.py", "tests/preprocess")),
    Part(
        "quantization",
        ("export/int8/ranges.py", "export/int8/quantize.py", "export/int8/exact_sums.py", "export/int8/parameters.py"),
        ("tests/export/test_quantize.py", "tests/export/test_ranges.py", "tests/export/test_exact_sums.py"),
    ),
    Part(
        "gate",
        ("export/check/acceptance.py", "export/check/figures.py"),
        ("tests/export/test_figures.py", "tests/export/test_acceptance.py"),
    ),
    Part(
        "seal",
        ("edgeecho/model/sealed_file.py", "edgeecho/model/protobuf.py", "edgeecho/model/device_file.py"),
        (
            "tests/model/test_protobuf.py",
            "tests/model/test_seal_limits.py",
            "tests/model/test_device_file.py",
            "tests/model/test_sealed_file.py",
        ),
    ),
    Part(
        "quality",
        (
            "edgeecho/runtime/beat_judge.py",
            "edgeecho/runtime/verdict.py",
            "edgeecho/runtime/mask_score.py",
            "edgeecho/runtime/frame_history.py",
            "edgeecho/data/quality/check.py",
            "edgeecho/data/quality/summary.py",
        ),
        (
            "tests/runtime/test_thresholds.py",
            "tests/runtime/test_verdict.py",
            "tests/runtime/test_frame_history.py",
            "tests/data/test_summary_table.py",
            "tests/data/test_check.py",
        ),
    ),
)
"""Parts in Python, whose tests that are not marked `slow` run."""

C_PARTS = (
    Part(
        "measure in C",
        ("device/src/measure/*.c",),
        (
            "tests/device/test_rigid_motion.py",
            "tests/device/test_judgements.py",
            *(f"tests/device/test_measure.py::test_{name}" for name in ("random_masks", "random_curves", "phantoms")),
        ),
    ),
    Part(
        "the rest in C",
        (
            "device/src/resample.c",
            "device/src/combine.c",
            "device/src/fan.c",
            "device/src/grid.c",
            "device/src/hull.c",
            "device/src/region.c",
            "device/src/orientation.c",
            "device/src/mask_runs.c",
            "device/src/device_file.c",
            "device/src/sha256.c",
            "device/src/trust/*.c",
        ),
        ("tests/device/test_judgements.py", "tests/device/test_trust.py", "tests/device/test_equality.py"),
    ),
)
"""Parts in C, each the twin of a part in Python."""


@dataclass(frozen=True)
class Named:
    """A mutant that stands for a fault that a person found: a text of a file, and what takes its place."""

    part: str
    file: str
    before: str
    after: str


NAMED = (
    Named("gate", "export/check/figures.py", "ef_mean_points: float = 1.0", "ef_mean_points: float = 2.0"),
    Named("quantization", "export/int8/quantize.py", "LOGIT_RANGE = 8.0", "LOGIT_RANGE = 16.0"),
    Named("quantization", "export/int8/ranges.py", "PERCENT = 99.999", "PERCENT = 99.9"),
    Named("quality", "edgeecho/runtime/trust_constants.py", "MIN_CONFIDENCE = 0.941", "MIN_CONFIDENCE = 0.841"),
    Named(
        "quality", "edgeecho/runtime/trust_constants.py", "MIN_LARGEST_FRACTION = 0.98", "MIN_LARGEST_FRACTION = 0.88"
    ),
    Named("measure", "edgeecho/measure/constants.py", "MIN_SEEN_FRACTION = 0.8", "MIN_SEEN_FRACTION = 0.7"),
    Named("preprocess", "edgeecho/preprocess/region.py", "MIN_OVERLAP_FRACTION = 0.25", "MIN_OVERLAP_FRACTION = 0.2"),
    Named("preprocess", "edgeecho/preprocess/grid.py", "CINE_FRAMES = 16", "CINE_FRAMES = 8"),
)
"""The mutants that survived an earlier review, at today's names: the limit of EF of the acceptance test, the range of
logits, the percentile of calibration, the least confidence, the share of the largest piece, missing frames, the least
region, and the sampling of the sector."""
