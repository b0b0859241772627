"""Licences of the weights of the installed models, with their terms."""

import json
from dataclasses import dataclass

from edgeecho.data.datasets.licences import terms_of
from edgeecho.model.registry import INDEX, installed_models
from edgeecho.model.spec import ModelSpec


@dataclass(frozen=True)
class Weights:
    """Weights of a model."""

    model: str
    licence: str
    terms: tuple[str, ...]
    """What the licence allows, a sentence for each of its parts."""

    @property
    def may_be_sold(self) -> bool:
        """Whether every part of the licence is known to allow commercial use."""
        parts = self.licence.replace("(", " ").replace(")", " ").split()
        return all(part in ("Apache-2.0", "AND") for part in parts)


def installed_weights() -> list[Weights]:
    """Return the weights of the installed models, by name.

    The licence is that of the specification in the model's index, which the files of the model repeat under their
    seals: `edgeecho info MODEL` compares them.
    """
    found = []
    for folder in installed_models():
        spec = json.loads((folder / INDEX).read_text())["spec"]
        licence = str(spec.get("licence", ModelSpec.licence))
        found.append(Weights(folder.name, licence, tuple(terms_of(licence))))
    return found
