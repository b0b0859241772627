"""Licences of the data sets: identifiers that every model file can hold, and their terms."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from edgeecho.data import KINDS
from edgeecho.data.datasets.licences import SEVERAL, TERMS, terms_of
from edgeecho.errors import ConfigError
from edgeecho.model.spec import MAX_LICENCE_BYTES, ModelSpec, check_licence
from edgeecho.train.provenance import join_licences, provenance_fields

MODELS = Path(__file__).parents[2] / "models"
LICENCES: list[str] = sorted({kind.licence for kind in KINDS.values()})  # type: ignore[attr-defined]


def sealed(licences: list[str]) -> ModelSpec:
    return ModelSpec(name="x", family="cl_unet_edge", **provenance_fields(licences, "hearts"))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_data_has_an_identifier_with_terms(kind: str) -> None:
    licence = KINDS[kind].licence  # type: ignore[attr-defined]
    check_licence(licence)
    assert TERMS[licence].endswith(".")
    assert terms_of(licence) == [TERMS[licence]]


@pytest.mark.parametrize("pair", list(combinations(LICENCES, 2)))
def test_any_two_fit_together(pair: tuple[str, str]) -> None:
    spec = sealed(list(pair))
    assert (spec.licence, spec.trained_on) == (" AND ".join(pair), "hearts")
    assert terms_of(spec.licence) == [TERMS[licence] for licence in pair]


@pytest.mark.parametrize("count", range(3, len(LICENCES) + 1))
def test_more_are_listed_beside_the_training_data(count: int) -> None:
    for some in combinations(LICENCES, count):
        together, spec = " AND ".join(some), sealed(list(some))
        if len(together) <= MAX_LICENCE_BYTES:
            assert (spec.licence, spec.trained_on) == (together, "hearts")
        else:
            assert (spec.licence, spec.trained_on) == (SEVERAL, f"hearts (licences: {together})")
    assert terms_of(SEVERAL) == [TERMS[SEVERAL]]


def test_alternatives_keep_their_meaning_when_joined() -> None:
    assert join_licences("A OR B", "C AND D", "C") == "(A OR B) AND C AND D"
    assert join_licences("A OR B", "A OR B") == "A OR B"


def test_a_licence_that_is_no_identifier_is_refused_before_training() -> None:
    with pytest.raises(ConfigError, match="got 'my own terms'; give an identifier"):
        provenance_fields(["Apache-2.0", "my own terms"], "hearts")


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/bundle.json")), ids=lambda path: path.parent.name)
def test_packaged_models_carry_identifiers_with_terms(path: Path) -> None:
    licence = json.loads(path.read_text())["licence"]
    check_licence(licence)
    assert terms_of(licence)
