"""Write the table of rungs in docs/ladder.md from edgeecho/synthetic/degrade.

Usage: python -m tests.repository.make_ladder_table
"""

from edgeecho.synthetic.degrade.degradation import DEGRADATIONS
from edgeecho.synthetic.degrade.ladder import LADDER
from tests.repository.make_trust_tables import ROOT

PAGE = ROOT / "docs" / "ladder.md"


def table() -> str:
    """Return the lines of the table."""
    lines = ["| degradation | strength | ladder | training |", "|---|---|---|---|"]
    for name, each in DEGRADATIONS.items():
        strengths = ", ".join(f"{rung.strength:g}" for rung in LADDER if rung.name == name and rung.strength)
        trained = "{:g} to {:g}".format(*each.trained) if each.trained else ""
        lines.append(f"| `{name}` | {each.unit or 'none'} | {strengths or 'yes'} | {trained} |")
    return "\n".join(lines)


def main() -> None:
    """Write the table."""
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition("<!-- rungs -->")
    tail = rest.partition("<!-- /rungs -->")[2]
    PAGE.write_text(f"{head}<!-- rungs -->\n\n{table()}\n\n<!-- /rungs -->{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
