"""Provenance of weights: the data that they were trained on, and the licences of these data, each listed once."""

from collections.abc import Sequence

from edgeecho.data.datasets.licences import SEVERAL
from edgeecho.model.spec import MAX_LICENCE_BYTES, check_licence

THEN, MEAN = "; then ", "the mean of runs on "


def join_steps(*texts: str) -> str:
    """Join the training steps of several weights, in order; equal steps are listed once."""
    return THEN.join(dict.fromkeys(step for text in texts for step in text.removeprefix(MEAN).split(THEN)))


def join_licences(*licences: str) -> str:
    """Join licences to one SPDX expression, in order; each is listed once."""
    if len(set(licences)) == 1:
        return licences[0]
    parts: list[str] = []
    for licence in licences:
        parts += [f"({licence})"] if "(" in licence or " OR " in licence else licence.split(" AND ")
    return " AND ".join(dict.fromkeys(parts))


def provenance_fields(licences: Sequence[str], trained_on: str) -> dict[str, str]:
    """Return the fields `licence` and `trained_on` of weights under several licences.

    Where the licences are too long for the first field, it is `LicenseRef-several`, and `trained_on` lists them.

    Raises:
        ConfigError: If one of the licences is no SPDX expression.
    """
    for licence in licences:
        check_licence(licence)
    together = join_licences(*licences)
    if len(together) <= MAX_LICENCE_BYTES:
        return {"licence": together, "trained_on": trained_on}
    return {"licence": SEVERAL, "trained_on": f"{trained_on} (licences: {together})"}
