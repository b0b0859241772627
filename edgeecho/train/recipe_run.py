"""Running of recipes: stage after stage to the released checkpoint, from wherever an earlier start has ended."""

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from edgeecho.data import open_data
from edgeecho.errors import ConfigError
from edgeecho.files import atomic
from edgeecho.model.registry import locate
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint
from edgeecho.train.average import average_checkpoints, last_checkpoints
from edgeecho.train.loop import Report, train
from edgeecho.train.recipe import AVERAGE, TRAIN, Recipe, Reference, Stage
from edgeecho.train.recipe_record import Code, Record, sha256_of
from edgeecho.train.start import STATE

SUMMARY = "recipe.json"
"""Name of the file beside the released checkpoint with the recipe, its hash and the record of every stage."""
SOFTWARE = ("edgeecho", "torch", "numpy", "opencv-python-headless")
"""Packages whose versions are in the summary."""
MAX_REVISIONS_LENGTH = 63
"""Length of the longest revision that a device file can contain."""


def run_recipe(
    recipe: Recipe, *, stage: str | None = None, any_revision: bool = False, report: Report | None = None
) -> Path:
    """Run a recipe, or go on with it, and return the path of the released checkpoint.

    A finished stage is not run again, and a training run that was begun is resumed. The released checkpoint is
    `recipe.out`/NAME.safetensors; its specification names the recipe by its SHA-256. `recipe.json` beside it contains
    the recipe and the records of all stages.

    Args:
        recipe: Stages to run.
        stage: Stage to run with those that it depends on, and nothing else; None runs all that the release needs.
        any_revision: Go on with stages that were run at another revision of the code.
        report: Function that is called with the progress of each stage.

    Raises:
        ConfigError: If a setting does not fit, or a stage that was run before differs from the recipe, from its
            inputs or from the code.
        DataError: If a data set is missing or incomplete.
    """
    return _Run(recipe, any_revision, report or (lambda step, steps, text: None)).run(stage)


class _Run:
    """One start of a recipe."""

    def __init__(self, recipe: Recipe, any_revision: bool, report: Report) -> None:
        self.recipe, self.any_revision, self.report, self.code = recipe, any_revision, report, Code.current()

    def run(self, name: str | None) -> Path:
        """Run the stages that are needed for a stage or for the release, and return the path of its checkpoint."""
        stages = list(self.recipe.needed_for(name or self.recipe.release.stage))
        if not stages:
            raise ConfigError(f"no stage {name!r}; known: {', '.join(stage.name for stage in self.recipe.stages)}")
        for stage in stages:
            folder = self.folder(stage.name)
            if record := Record.read(folder):
                record.require_same_stage(stage, folder)
                if not self.any_revision:
                    record.require_same_code(self.code, folder)
        for source in {stage.config.data.source for stage in stages if stage.kind == TRAIN}:
            open_data(source)  # so that a data set that is missing is found before days of training
        records = {}
        for number, stage in enumerate(stages, 1):
            records[stage.name] = self._finish(stage, f"{stage.name} ({number} of {len(stages)})")
        if name:
            return self._checkpoint(Reference(stages[-1].name, stages[-1].name))
        return self._release(records)

    def folder(self, name: str) -> Path:
        """Return the folder of a stage."""
        return self.recipe.out / "stages" / name

    def _finish(self, stage: Stage, title: str) -> Record:
        """Run a stage, or go on with it, unless it is finished, and return its record."""
        folder = self.folder(stage.name)
        inputs = {name: sha256_of(path) for name, path in self._inputs(stage)}
        record = Record.read(folder)
        if record:
            record.require_same_inputs(inputs, folder)
            record.require_outputs(folder)
            if record.outputs:
                return record
        before = tuple(code for code in (record.codes if record else ()) if code != self.code)
        record = Record(stage.to_dict(), inputs, (*before, self.code))
        record.write(folder)
        if stage.kind == AVERAGE:
            self.report(1, 1, f"{title}: mean of {len(list(self._inputs(stage)))} checkpoints")
            checkpoints = [path for _, path in self._inputs(stage)]
            average_checkpoints(checkpoints, folder / f"{stage.name}.safetensors", stage.name)
        else:
            self._train(stage, folder, title)
        outputs = {path.name: sha256_of(path) for path in sorted(folder.glob("*.safetensors"))}
        record = replace(record, outputs=outputs)
        record.write(folder)
        return record

    def _train(self, stage: Stage, folder: Path, title: str) -> None:
        """Train from the beginning, or from the last saved state."""
        config = stage.config
        if stage.teacher:
            config = config.with_value("data.teacher", str(self._checkpoint(stage.teacher)))
        init = self._checkpoint(stage.init) if stage.init else None

        def report(step: int, steps: int, text: str) -> None:
            self.report(step, steps, f"{title}: {text}")

        train(config, init=init, resume=(folder / STATE).exists(), report=report)

    def _inputs(self, stage: Stage) -> Iterator[tuple[str, Path]]:
        """Yield name and path of each checkpoint that a stage reads, in order."""
        for reference in stage.references:
            if stage.last:
                for path in last_checkpoints(self.folder(reference.stage), stage.last):
                    yield path.name, path
            else:
                yield reference.text, self._checkpoint(reference)

    def _checkpoint(self, reference: Reference) -> Path:
        """Return the path of a checkpoint."""
        if not reference.stage:
            return locate(reference.text, "torch").path
        return self.folder(reference.stage) / f"{reference.text}.safetensors"

    def _release(self, records: dict[str, Record]) -> Path:
        """Write the released checkpoint and the summary of its recipe."""
        recipe = self.recipe
        network, spec = load_checkpoint(self._checkpoint(recipe.release))
        revisions = ", ".join(dict.fromkeys(code.name for record in records.values() for code in record.codes))
        revisions = revisions if len(revisions) <= MAX_REVISIONS_LENGTH else "several"
        path = recipe.out / f"{recipe.name}.safetensors"
        save_checkpoint(path, network, replace(spec, name=recipe.name, recipe=recipe.sha256, revision=revisions))
        summary = {
            "recipe": recipe.to_dict(),
            "sha256": recipe.sha256,
            "released": {path.name: sha256_of(path)},
            "revision": revisions,
            "software": {"python": platform.python_version()} | {name: version(name) for name in SOFTWARE},
            "stages": {name: asdict(record) for name, record in records.items()},
        }
        with atomic(recipe.out / SUMMARY) as temporary:
            temporary.write_text(json.dumps(summary, indent=1) + "\n")
        self.report(1, 1, f"released {path.name}, recipe of SHA-256 {recipe.sha256}, revision {revisions}")
        return path
