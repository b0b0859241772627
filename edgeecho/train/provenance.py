"""What weights have learned from and under which licences, as lines that contain each thing once."""

from collections.abc import Sequence

from edgeecho.data.datasets.licences import SEVERAL
from edgeecho.model.spec import MAX_LICENCE_BYTES, check_licence

THEN, MEAN = "; then ", "the mean of runs on "


def follow(*texts: str) -> str:
    """Join what was learned from, in order; steps that are the same are said once."""
    return THEN.join(dict.fromkeys(step for text in texts for step in text.removeprefix(MEAN).split(THEN)))


def join_terms(*licences: str) -> str:
    """All licences of several, in order, each once."""
    if len(set(licences)) == 1:
        return licences[0]
    parts: list[str] = []
    for licence in licences:
        parts += [f"({licence})"] if "(" in licence or " OR " in licence else licence.split(" AND ")
    return " AND ".join(dict.fromkeys(parts))


def origin_fields(licences: Sequence[str], trained_on: str) -> dict[str, str]:
    """The fields `licence` and `trained_on` of weights under several licences.

    Where the licences are too many for the first field, it is `LicenseRef-several`, and `trained_on` lists them.

    Raises:
        ConfigError: If one of the licences is no SPDX expression.
    """
    for licence in licences:
        check_licence(licence)
    together = join_terms(*licences)
    if len(together) <= MAX_LICENCE_BYTES:
        return {"licence": together, "trained_on": trained_on}
    return {"licence": SEVERAL, "trained_on": f"{trained_on} (licences: {together})"}
