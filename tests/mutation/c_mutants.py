"""Mutants of a C file: small changes of its text, each of which a test should notice."""

import re
from collections.abc import Iterator

from tests.mutation.python_mutants import FACTORS, Mutant

_IGNORED = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^[ \t]*#[^\n]*(?:\\\n[^\n]*)*', re.DOTALL | re.MULTILINE
)
"""Comments, texts, characters and lines of the preprocessor."""
_SWAPS = {
    " < ": (" <= ", " >= "),
    " <= ": (" < ", " > "),
    " > ": (" >= ", " <= "),
    " >= ": (" > ", " < "),
    " == ": (" != ",),
    " != ": (" == ",),
    " && ": (" || ",),
    " || ": (" && ",),
    " + ": (" - ",),
    " - ": (" + ",),
    " * ": (" / ",),
    " / ": (" * ",),
    " & ": (" | ",),
    " | ": (" & ",),
    " << ": (" >> ",),
    " >> ": (" << ",),
    " += ": (" -= ",),
    " -= ": (" += ",),
    "++": ("--",),
    "break;": (";",),
    "continue;": (";",),
    "(!": ("(!!",),
}
"""Operators as `clang-format` spaces them, so that a pointer or a type is none of them."""
_TOKEN = re.compile(
    "|".join(map(re.escape, sorted(_SWAPS, key=len, reverse=True))) + r"|(?<![\w.])(?:\d+\.\d+(?:e-?\d+)?|\d+)(?![\w.])"
)
_ARRAY = re.compile(r"\b(?:u?int\d+_t|double|float|char|size_t)\s[^;=]*\[[^\]]*$")
"""What stands before a number that is the size of an array, where a larger one changes nothing."""


def mutants_of(source: str) -> list[Mutant]:
    """List the mutants of a file."""
    found = []
    for place, (start, end, after) in enumerate(_changes(source)):
        line = source.count("\n", 0, start) + 1
        found.append(Mutant(line, source[start:end].strip(), after.strip(), place))
    return found


def mutated(source: str, place: int) -> str:
    """Return a file with one change."""
    start, end, after = list(_changes(source))[place]
    return source[:start] + after + source[end:]


def _changes(source: str) -> Iterator[tuple[int, int, str]]:
    plain = _IGNORED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    for found in _TOKEN.finditer(plain):
        text = found[0]
        line = plain[plain.rfind("\n", 0, found.start()) + 1 : found.start()]
        if text in _SWAPS:
            if "\n" in source[found.start() : found.end()]:
                continue
            afters: tuple[str, ...] = _SWAPS[text]
        elif _ARRAY.search(line):
            continue
        elif "." in text or "e" in text:
            afters = tuple(repr(float(text) * factor) for factor in FACTORS) if float(text) else ("1.0",)
        else:
            afters = (str(int(text) + 1), *([str(int(text) - 1)] if int(text) else []))
        for after in afters:
            yield found.start(), found.end(), after
