"""Studies: each begins with its question, its command and the document that has its figures."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUDIES = [path for path in sorted((ROOT / "studies").glob("*.py")) if "__main__" in path.read_text()]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_describes_itself(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    command = f"python -m studies.{path.stem}"
    question, _, rest = text.partition("?")
    assert rest, "no question"
    assert "\n" not in question
    assert f"\n    {command}" in text
    documents = [ROOT / name for name in re.findall(r"[\w/-]+\.md", text)]
    assert documents or "no document has" in text.lower()
    for document in documents:
        assert command in document.read_text(), f"{document.name} does not contain the command"
