"""Can a result be trusted when the picture is wrong, spoilt or turned, and is its interval of EF right?

    python -m studies.trust PART [--data KIND:DIR ...] [--splits val] [--cine FILE ...] [--limit N] [--first-seed N]
        [--frames N] [--model NAME] [--threads N] [--json FILE]

docs/trust.md has its figures. A part prints one table in markdown, below a sentence on each column:

- `verdicts`: verdicts and reasons for each kind of wrong and turned view that is drawn, for upright phantoms, for the
  cines of `--data`, for the SonoSite cine inside the `pydicom` package, and for the user's files (`--cine`).
- `ladder`: Dice on phantoms and on `--data`, for each kind of spoilt picture, with the region that the product finds,
  in the whole cine and in a stream, against the region that the unspoilt cine has.
- `orientation`: share of mirrored, turned and inverted pictures, of phantoms and of `--data`, that are recognised, and
  of upright ones that are taken for such.
- `interval`: share of the cines of `--data` whose interval of EF contains the EF of their own masks.

`camus:DIR` is read as `camus-cines:DIR`: stills that are set in motion, with a mask on every frame. Seeds of drawn
cines count from `--first-seed`, so that figures can be taken from cines on which no limit was chosen.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeecho.errors import EdgeEchoError
from studies.trust_inputs import Options
from studies.trust_interval import interval
from studies.trust_ladder import ladder
from studies.trust_orientation import orientation
from studies.trust_table import Table
from studies.trust_verdicts import verdicts


@dataclass(frozen=True)
class Part:
    """One table of the study."""

    measure: Callable[[Options], Table]
    needs_data: bool


PARTS = {
    "verdicts": Part(verdicts, False),
    "ladder": Part(ladder, False),
    "orientation": Part(orientation, False),
    "interval": Part(interval, True),
}


def read_options(arguments: Sequence[str] | None = None) -> tuple[str, Options, Path | None]:
    """Read the command line: name of the part, options, and the file for the rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data", nargs="+", default=[], metavar="KIND:DIR", help="such as camus:DIR")
    parser.add_argument("--splits", default="val", help="splits of --data, with commas between them")
    parser.add_argument("--cine", nargs="+", default=[], type=Path, metavar="FILE", help="own cines, for `verdicts`")
    parser.add_argument("--limit", type=int, metavar="N", help="most cines of a kind")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="first seed of drawn cines")
    parser.add_argument("--frames", type=int, metavar="N", help="first frames of a cine alone, for `ladder`")
    parser.add_argument("--model", default="default")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to a file too")
    given = parser.parse_args(arguments)
    for name in ("limit", "frames", "threads"):
        value = getattr(given, name)
        if value is not None and value < 1:
            parser.error(f"--{name} must be at least 1, got {value}")
    if given.first_seed < 0:
        parser.error(f"--first-seed must not be negative, got {given.first_seed}")
    if PARTS[given.part].needs_data and not given.data:
        parser.error(f"{given.part} needs --data, such as --data camus:DIR")
    options = Options(
        data=tuple(given.data),
        splits=tuple(given.splits.split(",")),
        cines=tuple(given.cine),
        limit=given.limit,
        first_seed=given.first_seed,
        frames=given.frames,
        model=given.model,
        threads=given.threads,
    )
    return given.part, options, given.json


def main() -> None:
    """Run the command line."""
    part, options, path = read_options()
    try:
        table = PARTS[part].measure(options)
    except EdgeEchoError as error:
        sys.exit(f"error: {error}")
    print(table.markdown())
    if path:
        path.write_text(json.dumps(table.rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
