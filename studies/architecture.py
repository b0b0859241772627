"""Which network is fastest at equal accuracy? The figures are in docs/architecture-search.md.

    python -m studies.architecture speed --out DIR [--rows NAME;NAME] [--rounds 12]
    python -m studies.architecture train KIND:DIR --out DIR [--rows NAME;NAME] [--steps 400] [--seed 1]
    python -m studies.architecture show --out DIR [--plot FILE]

`speed` times every network with random weights, as int8 clip and stream in ONNX Runtime and OpenVINO with one thread,
and estimates its time on Arm cores. `train` trains it the same short way on the same clips, and measures Dice on
patients of the training list that are held out; a killed run goes on, and a finished row is not run again with the same
steps and seed. Both write `architecture.json`, of which `show` prints a table and draws a plot.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.files import atomic
from edgeecho.model.spec import ModelSpec
from edgeecho.nn import new_spec
from studies.architecture_plot import draw
from studies.architecture_speed import BOARDS, T, TimedNetwork, ceilings, least_ms
from studies.architecture_training import ShortTraining

WIDE = {"widths": (48, 96, 192), "blocks": (1, 1, 1)}
NARROW = {"widths": (32, 64, 128), "blocks": (1, 1, 1)}
HALF = {
    "widths": (16, 48, 96, 192),
    "entry_stride": 2,
    "entry_kernel": 4,
    "blocks": (0, 1, 1, 1),
    "encoder_time": (False, False, True, True),
    "decoder_time": (False, False, True),
    "residual": False,
}
PLAIN = {"residual": False, "head_kernel": 1}
CANDIDATES: dict[str, tuple[str, dict[str, Any]]] = {
    "cl_unet_edge": ("cl_unet_edge", {}),
    "cl_unet_nano": ("cl_unet_nano", {}),
    "entry 2, 16-48-96-192": ("strided", HALF | {"head_kernel": 1}),
    "entry 4, kernel 4": ("strided", WIDE | PLAIN | {"entry_kernel": 4}),
    "entry 4, kernel 12": ("strided", WIDE | PLAIN | {"entry_kernel": 12}),
    "48-96-192": ("strided", WIDE | PLAIN),
    "48-96-192, head 3x3": ("strided", WIDE | {"residual": False}),
    "48-96-192, head 3x3, residual": ("strided", WIDE),
    "48-96-192, no finest block": ("strided", WIDE | {"blocks": (0, 2, 1)}),
    "40-96-192, 2 middle blocks": ("strided", {"widths": (40, 96, 192), "blocks": (1, 2, 1)}),
    "32-96-192, 2 middle blocks": ("strided", {"widths": (32, 96, 192), "blocks": (1, 2, 1)}),
    "48-96-128, 2 coarse blocks": ("strided", {"widths": (48, 96, 128), "blocks": (1, 1, 2)}),
    "48-96-192, time at the coarsest": ("strided", WIDE | {"encoder_time": (False, False, True)}),
    "32-64-128": ("strided", NARROW | PLAIN),
    "32-64-128, head 3x3, residual": ("strided", NARROW),
    "32-64-128, 2 middle blocks": ("strided", NARROW | {"blocks": (1, 2, 1)}),
    "24-64-128": ("strided", NARROW | {"widths": (24, 64, 128)}),
    "32-64-96, 2 coarse blocks": ("strided", {"widths": (32, 64, 96), "blocks": (1, 1, 2)}),
}
"""Family and changes of each network, by the name of its row. Rows that do not name a head have one of 3x3, and
residual blocks."""
Results = dict[str, dict[str, Any]]
"""Measured values by row and name."""


def spec_of(name: str) -> ModelSpec:
    """Return the specification of a row's network."""
    family, changes = CANDIDATES[name]
    return new_spec(family, **changes)


def measure_speed(rows: list[str], rounds: int) -> Results:
    """Time the networks of some rows, in turns."""
    networks = {}
    for name in rows:
        _say(f"exporting {name}")
        networks[name] = TimedNetwork(spec_of(name))
    times = least_ms(networks, rounds)
    peaks, gb_per_s = ceilings()
    _say(f"int8 {peaks['int8']:.0f} GMAC/s, fp32 {peaks['fp32']:.0f} GMAC/s, copy {gb_per_s:.1f} GB/s")
    found: Results = {}
    for name, network in networks.items():
        spec, taken = spec_of(name), times[name]
        found[name] = {
            "params": spec.params,
            "mmac": round(network.macs / 1e6, 1),
            "delay": spec.context_frames[1],
            "state_kb": round(network.state_bytes / 1000, 1),
            **{form: round(ms, 2) for form, ms in taken.items()},
            "ceiling": round(network.macs * T / taken["ort clip"] / 1e6 / peaks["int8"], 3),
            **network.boards(taken["ort clip"], peaks, gb_per_s),
        }
    return found


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def print_table(results: Results) -> None:
    """Print a Markdown table; `-` where a value was not measured."""
    forms = ("ort clip", "ort stream", "openvino clip", "openvino stream")
    sys.stdout.write(
        "| network | parameters | MMAC | "
        + " | ".join(forms)
        + " | ceiling | "
        + " | ".join(BOARDS.values())
        + " | ED | "
        "ES |\n|" + "---|" * (3 + len(forms) + 1 + len(BOARDS) + 2) + "\n"
    )
    for name, row in results.items():
        dice = row.get("dice", {})
        cells = [f"{row['params'] / 1e6:.2f} M" if "params" in row else "-", f"{row.get('mmac', '-')}"]
        cells += [f"{row[form]:.1f}" if form in row else "-" for form in forms]
        cells += [f"{100 * row['ceiling']:.0f}%" if "ceiling" in row else "-"]
        cells += [f"{row[core]:.1f}" if core in row else "-" for core in BOARDS.values()]
        cells += [f"{dice[phase]:.4f}" if phase in dice else "-" for phase in ("ED", "ES")]
        sys.stdout.write(f"| {name} | " + " | ".join(cells) + " |\n")


def _read(index: Path) -> Results:
    found: Results = json.loads(index.read_text()) if index.is_file() else {}
    return found


def _keep(index: Path, found: Results) -> None:
    """Add values to what the file holds by now, since another process may have written to it."""
    results = _read(index)
    for name, values in found.items():
        results[name] = {**results.get(name, {}), **values}
    with atomic(index) as path:
        path.write_text(json.dumps(results, indent=1) + "\n")


def run(options: argparse.Namespace) -> None:
    """Do what the command line asks for.

    Raises:
        ConfigError: If a row is unknown.
        DataError: If the data set is missing.
    """
    rows = options.rows.split(";") if options.rows else list(CANDIDATES)
    if unknown := [name for name in rows if name not in CANDIDATES]:
        raise ConfigError(f"unknown row {unknown[0]!r}; known: {'; '.join(CANDIDATES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    index = options.out / "architecture.json"
    if options.what == "speed":
        _keep(index, measure_speed(rows, options.rounds))
    if options.what == "train":
        training = ShortTraining(options.data, options.out, options.steps, options.seed, _say)
        how = {"steps": options.steps, "seed": options.seed}
        for name in rows:
            if not how.items() <= _read(index).get(name, {}).items():
                _keep(index, {name: {"dice": training.run(name, spec_of(name)), **how}})
    results = _read(index)
    print_table({name: results[name] for name in CANDIDATES if name in results})
    if options.plot:
        draw(results, options.plot)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "train", "show"))
    parser.add_argument("data", nargs="?", default="", help="KIND:DIR, such as camus:DIR; for train.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", help="Names of rows, separated by semicolons; all if not given.")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="PNG file.")
    try:
        run(parser.parse_args())
    except EdgeEchoError as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
