"""What weights have learned from, as one line that says each thing once."""

THEN, MEAN = "; then ", "the mean of runs on "


def follow(*texts: str) -> str:
    """Join what was learned from, in order; steps that are the same are said once."""
    return THEN.join(dict.fromkeys(step for text in texts for step in text.removeprefix(MEAN).split(THEN)))


def join_terms(*licences: str) -> str:
    """All licences of several, in order, each once."""
    return " AND ".join(dict.fromkeys(part for licence in licences for part in licence.split(" AND ")))
