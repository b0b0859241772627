"""Short trainings of networks on the same stored clips, for `studies.architecture`. It is no study of its own."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from edgeecho.data import Item, open_data
from edgeecho.files import atomic
from edgeecho.model.spec import ModelSpec
from edgeecho.nn import build
from edgeecho.train.batches import FIELDS, Clips, load_batches
from edgeecho.train.config import TrainConfig
from edgeecho.train.losses import Target
from edgeecho.train.state import State
from edgeecho.train.training_data import find_sources, labelled_cines, training_and_choice
from edgeecho.train.validation import Validation

SIZE_PX = 112
SAVE_STEPS = 50
"""Steps between two savings of a run that may be killed."""
SETTINGS = {
    "clips.per_step": 5,
    "clips.frames": 8,
    "clips.stills": 0.5,
    "clips.cines": 0.35,
    "clips.phantom": 0.15,
    "loss.cycle": 0.0,
    "loss.interpolation": 0.0,
    "loss.beats": 0.0,
    "optim.learning_rate": 3e-3,
    "optim.ema": 0.98,
    "run.precision": "bf16",
    "run.threads": 1,
}
"""Settings of every run: labels alone, without the temporal consistency loss."""
Say = Callable[[str], None]


class ShortTraining:
    """Runs of a number of steps on clips that are made once, chosen on nobody, measured on held-out patients."""

    def __init__(self, data: str, out: Path, steps: int, seed: int, say: Say) -> None:
        """Open the data set.

        Args:
            data: `KIND:DIR`, such as `camus:DIR`.
            out: Folder of the clips and the runs.
            steps: Number of steps of a run.
            seed: Seed of the clips, the weights and the patients that are held out.
            say: Function that is called with the progress.
        """
        config = TrainConfig()
        for key, value in {**SETTINGS, "data.source": data, "run.out": str(out), "run.seed": seed}.items():
            config = config.with_value(key, value)
        self.config, self.out, self.say = config.with_value("optim.steps", steps), out, say
        self.training, self.held_out = training_and_choice(open_data(data), config.data, seed)
        self._validation: Validation | None = None

    def run(self, name: str, spec: ModelSpec) -> dict[str, float]:
        """Train a network, or go on with its training, and return its Dice of each phase."""
        self._store_clips(self.training)
        config = self.config
        torch.manual_seed(config.run.seed)
        torch.set_num_threads(1)
        file = f"{name.replace(' ', '_')}.{config.run.seed}.{config.optim.steps}.pt"
        state, path = State(config, build(spec)), self.out / file
        if path.is_file():
            state.load(path)
        while state.step < config.optim.steps:
            batch = self._stored(state.step)
            terms = state.advance(batch["frames"], Target.of(batch))
            if state.step % SAVE_STEPS == 0:
                state.save(path)
                self.say(f"{name}: step {state.step} of {config.optim.steps}, labels {float(terms['labels']):.3f}")
        if self._validation is None:
            self._validation = Validation(labelled_cines(self.held_out, self.say), SIZE_PX, (0, 0))
        return self._validation.dice_by_phase(state.averaged)

    def _path(self, step: int) -> Path:
        return self.out / f"clips.{self.config.run.seed}" / f"{step:04d}.pt"

    def _stored(self, step: int) -> dict[str, Tensor]:
        stored: dict[str, Tensor] = torch.load(self._path(step), weights_only=True)
        return stored

    def _store_clips(self, training: list[Item]) -> None:
        """Make the clips of all steps that are not stored yet."""
        steps = self.config.optim.steps
        first = next((step for step in range(steps) if not self._path(step).is_file()), steps)
        if first == steps:
            return
        self._path(0).parent.mkdir(parents=True, exist_ok=True)
        clips = Clips(find_sources(training, self.config, self.say), self.config, SIZE_PX)
        for step, batch in enumerate(load_batches(clips, self.config, first), first):
            with atomic(self._path(step)) as path:
                torch.save({name: batch[name] for name in FIELDS if name != "clean"}, path)
