"""Messages of a run over cines: a line a cine, a line a pair, and at the end what many cines have in common."""

from pathlib import Path

from edgeecho.batch import Outcome
from edgeecho.batch.pairs import PairResult
from edgeecho.measure import COMMON_WARNINGS
from edgeecho.report.marks import verdict_in_words


class RunMessages:
    """Messages of a run on stderr: what many cines have in common once, and errors again at the end."""

    def __init__(self) -> None:
        self.cines = self.withheld = self.done_before = 0
        self.errors: list[str] = []
        self.unsent: list[str] = []
        self._common: dict[str, list[str]] = {}

    def of(self, outcome: Outcome) -> list[str]:
        """Return the lines to print when a cine is done: its error, or those of its warnings that are its own."""
        self.cines += 1
        name = Path(outcome.task.label).name
        if outcome.figures is None:
            self.errors.append(outcome.error)
            return [f"error: {self.errors[-1]}"]
        self.withheld += outcome.figures["verdict"] == "withhold"
        self.done_before += outcome.was_done
        warnings = outcome.figures["warnings"]
        for warning in COMMON_WARNINGS.intersection(warnings):
            self._common.setdefault(warning, []).append(name)
        lines = [f"{name}: {warning}" for warning in warnings if warning not in COMMON_WARNINGS]
        if outcome.unsent:
            self.unsent.append(f"{name}: {outcome.unsent}")
            lines.append(f"error: {self.unsent[-1]}")
        return lines

    def at_end(self) -> list[str]:
        """Return the lines to print at the end: each common warning with the number of cines, and all errors again."""
        lines = [
            f"{names[0] if len(names) == 1 else f'{len(names)} of {self.cines} cines'}: {warning}"
            for warning, names in sorted(self._common.items())
        ]
        if self.cines > 1:
            done = self.cines - len(self.errors)
            before = f" ({self.done_before} by an earlier run)" if self.done_before else ""
            lines.append(f"{done} of {self.cines} cines done{before}, {self.withheld} of them with EF withheld")
        if self.errors and self.cines > 1:
            lines += [f"{len(self.errors)} of {self.cines} cines failed:", *(f"  {error}" for error in self.errors)]
        if self.unsent and self.cines > 1:
            lines.append(f"{len(self.unsent)} of {self.cines} cines were not sent; --resume sends them again")
        return lines


def summary_of(outcome: Outcome) -> str:
    """Return the line of a cine: frames, beats, EF with its verdict, volumes, heart rate, and a file."""
    figures = outcome.figures
    assert figures is not None
    beats = figures["beats"]
    counts = ((figures["frames"], "frame"), (len(beats), "beat"))
    parts = [f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts]
    left_out = sum(not beat["is_used"] for beat in beats)
    if left_out:
        parts[-1] += f" ({left_out} left out)"
    parts.append(verdict_in_words(figures))
    if figures["edv_ml"] is not None and figures["esv_ml"] is not None:
        parts.append(f"EDV {figures['edv_ml']:.0f} mL, ESV {figures['esv_ml']:.0f} mL")
    if figures["heart_rate_bpm"] is not None:
        parts.append(f"{figures['heart_rate_bpm']:.0f}/min")
    return f"{Path(outcome.task.label).name}: " + ", ".join(parts) + f" -> {outcome.files[-1]}"


def biplane_of(result: PairResult) -> str:
    """Return the line of a pair of views."""
    names = f"{result.pair.study} (biplane of {result.pair.four_chamber} and {result.pair.two_chamber})"
    why = f" ({result.verdict}: {'; '.join(result.reasons)})" if result.reasons else ""
    if result.ef_percent is None:
        return f"{names}: no EF{why}"
    return f"{names}: EF {result.ef_percent:.0f}%, EDV {result.edv_ml:.0f} mL, ESV {result.esv_ml:.0f} mL{why}"
