"""Write the table of thresholds in docs/trust.md from edgeecho/runtime/trust_constants.py.

Usage: python -m tests.repository.make_trust_tables
"""

import ast
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "trust.md"
CONSTANTS = ROOT / "edgeecho" / "runtime" / "trust_constants.py"


def constants() -> list[tuple[str, object, str]]:
    """Return name, value and docstring of each constant, in the order of the file."""
    body = ast.parse(CONSTANTS.read_text(encoding="utf-8")).body
    found = []
    for statement, text in pairwise(body):
        if isinstance(statement, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            (target,) = statement.targets
            assert isinstance(target, ast.Name)
            found.append((target.id, ast.literal_eval(statement.value), " ".join(str(text.value.value).split())))
    return found


def in_words(value: object) -> str:
    """Return a value as the table has it."""
    if not isinstance(value, tuple):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return "; ".join(" from ".join(map(in_words, v[::-1])) if isinstance(v, tuple) else in_words(v) for v in value)


def table() -> str:
    """Return the lines of the table."""
    rows = [f"| `{name}` | {in_words(value)} | {text} |" for name, value, text in constants()]
    return "\n".join(["| name | value | meaning |", "|---|---|---|", *rows])


def between(page: str, name: str) -> str:
    """Return the part of the page between the marks of a table, without empty lines around it."""
    return page.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0].strip()


def main() -> None:
    """Write the table."""
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition("<!-- thresholds -->")
    tail = rest.partition("<!-- /thresholds -->")[2]
    PAGE.write_text(f"{head}<!-- thresholds -->\n\n{table()}\n\n<!-- /thresholds -->{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
