"""ModelSpec: in and out of one line of JSON, and what is refused."""

import json
from dataclasses import asdict, replace

import pytest

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.spec import ModelSpec

SPEC = ModelSpec(
    name="tiny",
    family="cl_unet_edge",
    config={"widths": [8, 16]},
    params=7,
    context_frames=(4, 2),
    frames=32,
    form="clip",
)


def altered(**values: object) -> str:
    return json.dumps({**asdict(SPEC), **values})


def test_round_trip() -> None:
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC
    assert ModelSpec.from_json(SPEC.to_json()).context_frames == (4, 2)  # JSON has no tuples


def test_one_line_with_sorted_keys() -> None:
    text = SPEC.to_json()
    assert "\n" not in text
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert replace(SPEC, config={"a": 1, "b": 2}).to_json() == replace(SPEC, config={"b": 2, "a": 1}).to_json()


def test_a_missing_key_takes_its_default() -> None:
    values = asdict(SPEC)
    del values["threshold"]
    assert ModelSpec.from_json(json.dumps(values)).threshold == 128


def test_the_recipe_is_in_the_json_only_if_there_is_one() -> None:
    assert "recipe" not in json.loads(SPEC.to_json())
    made = replace(SPEC, recipe="0a" * 32)
    assert json.loads(made.to_json())["recipe"] == "0a" * 32
    assert ModelSpec.from_json(made.to_json()) == made
    with pytest.raises(ModelFileError, match="recipe must be a SHA-256 of 64 hexadecimal digits, got 'first'"):
        ModelSpec.from_json(altered(recipe="first"))


def test_unknown_keys_are_named() -> None:
    with pytest.raises(ModelFileError, match="colour"):
        ModelSpec.from_json(altered(colour="red"))


@pytest.mark.parametrize("key", ["name", "family"])
def test_a_spec_without_name_or_family_is_none(key: str) -> None:
    values = asdict(SPEC)
    del values[key]
    with pytest.raises(ModelFileError, match=key):
        ModelSpec.from_json(json.dumps(values))


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format_version(version: object) -> None:
    with pytest.raises(ModelFileError, match=f"format version {version}, this EdgeEcho reads 1"):
        ModelSpec.from_json(altered(format_version=version))


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '"x"', "{}", '{"name": "x"}'])
def test_text_that_is_no_spec(text: str) -> None:
    with pytest.raises(ModelFileError, match="no EdgeEcho model spec"):
        ModelSpec.from_json(text)


@pytest.mark.parametrize(
    "values",
    [
        {"context_frames": 5},
        {"context_frames": [1, 2, 3]},
        {"context_frames": [0.5, 1]},
        {"context_frames": [-1, 0]},
        {"size_px": "112"},
        {"size_px": 113},
        {"size_px": 112.0},
        {"threshold": "high"},
        {"config": [1]},
        {"name": None},
        {"frames": "many"},
    ],
)
def test_values_of_the_wrong_kind_are_a_bad_model_file(values: dict[str, object]) -> None:
    with pytest.raises(ModelFileError, match=next(iter(values))):
        ModelSpec.from_json(altered(**values))


@pytest.mark.parametrize(("size_px", "fits"), [(16, True), (112, True), (0, False), (8, False), (120, False)])
def test_size(size_px: int, fits: bool) -> None:
    if fits:
        assert replace(SPEC, size_px=size_px).size_px == size_px
    else:
        with pytest.raises(ConfigError, match=f"size_px must be a multiple of 16 from 16 to 1024, got {size_px}"):
            replace(SPEC, size_px=size_px)


@pytest.mark.parametrize(
    "licence",
    [
        "Apache-2.0",
        "GPL-2.0+",
        "LicenseRef-own-data",
        "CC-BY-NC-SA-4.0 AND LicenseRef-EchoNet-Dynamic",
        "GPL-2.0-only WITH Classpath-exception-2.0 OR MIT",
        "(MIT OR (Apache-2.0 AND BSD-3-Clause)) AND CC0-1.0",
        "L" * 63,
    ],
)
def test_licences(licence: str) -> None:
    assert replace(SPEC, licence=licence).licence == licence


@pytest.mark.parametrize(
    "licence",
    [
        "",
        " ",
        "AND",
        "MIT AND",
        "OR MIT",
        "MIT Apache-2.0",
        "MIT and Apache-2.0",
        "(MIT",
        "MIT)",
        "()",
        "MIT(CC0-1.0)",
        "a\nb",
        "Lizenz-\u00e4",
        "research use agreement (non-commercial)",
        "L" * 64,
    ],
)
def test_licences_that_are_refused(licence: str) -> None:
    with pytest.raises(ConfigError, match="licence must be an SPDX expression of at most 63 bytes, got "):
        replace(SPEC, licence=licence)
    with pytest.raises(ModelFileError, match="bad model spec: licence must be an SPDX expression"):
        ModelSpec.from_json(altered(licence=licence))


def test_licences_of_checkpoints_from_before_there_were_identifiers() -> None:
    before = "CC-BY-NC-SA-4.0 AND Stanford EchoNet-Dynamic research use agreement (non-commercial)"
    spec = ModelSpec.from_json(altered(licence=before))
    assert spec.licence == "CC-BY-NC-SA-4.0 AND LicenseRef-EchoNet-Dynamic"
