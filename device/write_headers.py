#!/usr/bin/env python3
"""Write what C repeats of Python into the headers of device/, and the version of pyproject.toml into edgeecho.h.

python device/write_headers.py     in an environment with EdgeEcho's package; a test compares the files
"""

import ast
import re
import sys
import textwrap
import tomllib
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from edgeecho import frame_times
from edgeecho.cine.grey import MAX_COLOUR_FRAMES, MIN_COLOUR_DIFFERENCE, MIN_COLOURED_FRACTION, MIN_SIDE_PX
from edgeecho.measure import constants, rigid_motion
from edgeecho.model import device_file
from edgeecho.model.sealed_file import MAX_BYTES
from edgeecho.model.selftest_record import CINE, MAX_FRAMES
from edgeecho.model.spec import MAX_AXIS, MAX_CONTEXT_FRAMES, MAX_SIZE_PX, MAX_STATE_BYTES, MIN_SIZE_PX, SIZE_STEP_PX
from edgeecho.preprocess import fan
from edgeecho.preprocess.grid import CINE_FRAMES
from edgeecho.preprocess.orientation import FLIPS
from edgeecho.preprocess.region import MAX_REGION, MIN_OVERLAP_FRACTION
from edgeecho.preprocess.resample import BITS
from edgeecho.reasons import SENTENCES, Reason
from edgeecho.runtime import trust_constants
from edgeecho.runtime.selftest_cine import HEIGHT, WIDTH

DEVICE = Path(__file__).resolve().parent
LIMITS = {
    "EE_MIN_SIDE": (MIN_SIDE_PX, "Least width and height of a frame, and of its part in the region, in pixels."),
    "EE_MAX_REGION": (MAX_REGION, "Longest side of a region, as a multiple of the frame's longest side."),
    "EE_MIN_OVERLAP_FRACTION": (
        MIN_OVERLAP_FRACTION,
        "Least part of the smaller of region and frame that lies in the other.",
    ),
    "EE_WEIGHT_BITS": (BITS, "Weights of resampling are in units of 1 / (1 << EE_WEIGHT_BITS)."),
    "EE_MIN_SIZE_PX": (MIN_SIZE_PX, "Least side of the network's frames."),
    "EE_MAX_SIZE_PX": (MAX_SIZE_PX, "Largest side of the network's frames."),
    "EE_SIZE_STEP_PX": (SIZE_STEP_PX, "Number that the side of the network's frames is a multiple of."),
    "EE_MAX_CONTEXT_FRAMES": (MAX_CONTEXT_FRAMES, "Most frames before and after a frame that its answer depends on."),
    "EE_MAX_STATE": (device_file.MAX_STATE, "Most state tensors of a device file."),
    "EE_MAX_STATE_BYTES": (MAX_STATE_BYTES, "Most bytes of all state tensors."),
    "EE_MAX_AXIS": (MAX_AXIS, "Longest axis of a state tensor."),
    "EE_MAX_FILE_BYTES": (MAX_BYTES, "Most bytes of a device file."),
    "EE_MAX_TEST_FRAMES": (MAX_FRAMES, "Most frames of a self-test."),
    "EE_MIN_COLOUR_DIFFERENCE": (
        MIN_COLOUR_DIFFERENCE,
        "A pixel is strongly coloured if the largest and the smallest of its channels differ by more levels than this.",
    ),
    "EE_MIN_COLOURED_FRACTION": (
        MIN_COLOURED_FRACTION,
        "Least part of the frames in which a pixel of colour Doppler or of a coloured overlay is strongly coloured.",
    ),
    "EE_MAX_COLOUR_FRAMES": (MAX_COLOUR_FRAMES, "Largest number of frames that are searched for colour."),
    "EE_CINE_FRAMES": (CINE_FRAMES, "About the number of frames of a whole cine in which fans are searched."),
    "EE_TEST_CINE": (CINE, "Number of the test cine that the self-test draws."),
    "EE_TEST_WIDTH": (WIDTH, "Width of the self-test's frames in pixels."),
    "EE_TEST_HEIGHT": (HEIGHT, "Height of the self-test's frames in pixels."),
}
FILE_CODES = {
    "FORM": device_file.FORMS,
    "PRECISION": device_file.PRECISIONS,
    "RESAMPLING": device_file.RESAMPLINGS,
    "TYPE": device_file.TYPES,
}
"""Numbers in the header of a device file and what each stands for."""


def documented_constants(source: str) -> list[tuple[str, str]]:
    """Names of constants in a Python source, each with the string below it."""
    body = ast.parse(source).body
    found = []
    for node, below in pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assert isinstance(below, ast.Expr), f"{node.targets[0].id} has no docstring"
            found.append((node.targets[0].id, str(ast.literal_eval(below.value))))
    return found


def header(guard: str, source: str, lines: list[str]) -> str:
    """Text of a header."""
    top = f"/* Written by device/write_headers.py from {source}: change it there. */"
    return "\n".join([top, f"#ifndef {guard}", f"#define {guard}", "", *lines, "", "#endif", ""])


def comment(text: str, indent: str = "") -> list[str]:
    """Lines of a comment, at most 120 columns wide."""
    lines = textwrap.wrap(" ".join(text.split()), 114 - len(indent), break_long_words=False)
    first, *rest = lines
    return (
        [f"{indent}/* {first}", *(f"{indent} * {line}" for line in rest[:-1]), f"{indent} * {rest[-1]} */"]
        if rest
        else [f"{indent}/* {first} */"]
    )


def initializer(value: object) -> str:
    """C text of a number or of a tuple of them."""
    return f"{{{', '.join(map(initializer, value))}}}" if isinstance(value, tuple) else repr(value)


def define(name: str, value: object) -> list[str]:
    """Lines that define a constant. A pair becomes NAME_0 and NAME_1, a longer tuple an initializer and its length."""
    if not isinstance(value, tuple):
        return [f"#define EE_{name} {value!r}"]
    if len(value) == 2:
        return [f"#define EE_{name}_{index} {part!r}" for index, part in enumerate(value)]
    return [f"#define EE_{name}_COUNT {len(value)}", f"#define EE_{name} {initializer(value)}"]


def constants_of(*modules: ModuleType) -> list[str]:
    """Lines that define every constant of some modules, each with its comment."""
    lines = []
    for module in modules:
        for name, text in documented_constants(Path(str(module.__file__)).read_text()):
            lines += comment(text) + define(name, getattr(module, name))
    return lines


def measure_constants() -> str:
    """Text of src/measure/constants.h."""
    lines = constants_of(constants, rigid_motion, frame_times)
    lines += ["", "/* Reason of a finding. */", "typedef enum {", "    /* there is none */", "    EE_REASON_NONE = 0,"]
    for reason in Reason:
        lines += [f"    /* {SENTENCES[reason]} */", f"    EE_REASON_{reason.name} = {reason.value},"]
    lines += ["} ee_reason;", "", "/* One more than the largest reason. */", f"#define EE_REASONS {max(Reason) + 1}"]
    source = "edgeecho/measure/constants.py, rigid_motion.py, edgeecho/frame_times.py and edgeecho/reasons.py"
    return header("EE_MEASURE_CONSTANTS_H", source, lines)


def trust_settings() -> str:
    """Text of src/trust/constants.h."""
    source = "edgeecho/runtime/trust_constants.py and edgeecho/preprocess/fan.py"
    return header("EE_TRUST_CONSTANTS_H", source, constants_of(trust_constants, fan))


def reason_texts() -> str:
    """Text of src/reason_texts.h."""
    lines = [
        "/* clang-format off */",
        "/* Code and sentence of each reason. */",
        "static const char *const EE_REASON_TEXTS[][2] = {",
    ]
    for reason in Reason:
        lines += [f'    [EDGEECHO_REASON_{reason.name}] = {{"{reason.code}",', f'        "{SENTENCES[reason]}"}},']
    lines += ["};"]
    return header("EE_REASON_TEXTS_H", "edgeecho/reasons.py", lines)


def limits() -> str:
    """Text of src/limits.h."""
    lines = [line for name, (value, text) in LIMITS.items() for line in (f"/* {text} */", f"#define {name} {value}")]
    lines += ["", "/* Header of a device file: newest version, offsets and sizes in bytes, codes of its fields. */"]
    lines += [f"#define EE_FILE_VERSION {device_file.VERSION}"]
    lines += [f"#define EE_FILE_{name} {value}" for name, value in device_file.LAYOUT.items()]
    for field, codes in FILE_CODES.items():
        lines += [f"#define EE_{field}_{re.sub('[^A-Z0-9]', '_', n.upper())} {code}" for n, code in codes.items()]
    return header("EE_LIMITS_H", "constants of edgeecho/", lines)


def public_header() -> str:
    """Text of include/edgeecho.h, with the version of pyproject.toml, the reasons and the flips."""
    text = (DEVICE / "include" / "edgeecho.h").read_text()
    version = tomllib.loads((DEVICE.parent / "pyproject.toml").read_text())["project"]["version"]
    for part, number in zip(("MAJOR", "MINOR", "PATCH"), version.split("."), strict=True):
        define = f"#define EDGEECHO_VERSION_{part}"
        text, count = re.subn(rf"^{define} \d+$", f"{define} {number}", text, flags=re.M)
        assert count == 1, define
    reasons = [
        line for r in Reason for line in (*comment(SENTENCES[r], "    "), f"    EDGEECHO_REASON_{r.name} = {r.value},")
    ]
    flips = [f"    EDGEECHO_FLIP_{flip.upper()} = {number}," for number, flip in enumerate(FLIPS)]
    for name, lines in (("reason", reasons), ("flip", flips)):
        body = "\n".join(lines).removesuffix(",")
        text, count = re.subn(
            rf"^enum edgeecho_{name} {{.*?^}};$", f"enum edgeecho_{name} {{\n{body}\n}};", text, flags=re.M | re.S
        )
        assert count == 1, name
    return text


def headers() -> dict[Path, str]:
    """Paths of the headers and what is in them."""
    return {
        DEVICE / "src" / "measure" / "constants.h": measure_constants(),
        DEVICE / "src" / "trust" / "constants.h": trust_settings(),
        DEVICE / "src" / "reason_texts.h": reason_texts(),
        DEVICE / "src" / "limits.h": limits(),
        DEVICE / "include" / "edgeecho.h": public_header(),
    }


def main() -> None:
    """Write the headers that change, and print their paths."""
    for path, text in headers().items():
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"{path.relative_to(DEVICE)}\n")


if __name__ == "__main__":
    main()
