"""Coverage-guided fuzzing of the parsers that EdgeEcho has itself, by atheris (libFuzzer).

    python -m tests.robustness.coverage --seconds 60

atheris is needed (`pip install atheris`, Linux, Python 3.11 to 3.13). Each parser runs for its part of the time in a
process of its own, starting from sound files; libFuzzer keeps what reaches new branches. An exception that is no
`EdgeEchoError` (or that the parser's callers do not expect) ends it, and is a fault.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.robustness.child import clean_environment, run
from tests.robustness.seeds import write_seeds

_MODULES = ("edgeecho.cine", "edgeecho.model")
_MAX_BYTES = 1 << 15


def _to_file(read: Callable[[Path], object], suffix: str) -> Callable[[bytes], None]:
    folder = Path(tempfile.mkdtemp(prefix="coverage-"))

    def call(data: bytes) -> None:
        path = folder / f"file{suffix}"
        path.write_bytes(data)
        read(path)

    return call


def parsers() -> dict[str, tuple[Callable[[bytes], object], str]]:
    """Return each parser and the ending of the sound files that it starts from, by name."""
    from edgeecho.cine.arrays import read_nifti, read_npz
    from edgeecho.cine.containers import scan
    from edgeecho.cine.dicom import read_dicom
    from edgeecho.cine.jpeg import header_size, jpeg_colour, jpeg_size
    from edgeecho.cine.picture import decode_png
    from edgeecho.model.onnx_tensors import require_sound_tensors
    from edgeecho.model.sealed_file import _find_metadata
    from edgeecho.model.spec import ModelSpec

    def metadata(data: bytes) -> None:
        for suffix in (".onnx", ".ort", ".safetensors", ".xml"):
            try:
                _find_metadata(suffix, data)
            except (ValueError, TypeError, LookupError, RecursionError):  # what `read_verified` expects
                continue

    return {
        "containers": (_to_file(scan, ".avi"), ".avi"),
        "gif": (_to_file(scan, ".gif"), ".gif"),
        "jpeg": (lambda data: (header_size(data), jpeg_size(data), jpeg_colour(data)), ".jpg"),
        "png": (decode_png, ".png"),
        "npz": (_to_file(read_npz, ".npz"), ".npz"),
        "nifti": (_to_file(read_nifti, ".nii.gz"), ".nii.gz"),
        "dicom": (_to_file(read_dicom, ".dcm"), ".dcm"),
        "onnx": (require_sound_tensors, ".onnx"),
        "metadata": (metadata, ".onnx"),
        "spec": (lambda data: ModelSpec.from_json(data.decode(errors="replace")), ".json"),
    }


def _fuzz(name: str, corpus: Path, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=list(_MODULES)):
        parse, _ = parsers()[name]
    from edgeecho.errors import EdgeEchoError

    def one(data: bytes) -> None:
        try:
            parse(data)
        except EdgeEchoError:
            return

    flags = [f"-max_total_time={seconds}", f"-max_len={_MAX_BYTES}", "-timeout=20", "-rss_limit_mb=1500"]
    atheris.Setup([sys.argv[0], *flags, f"-artifact_prefix={corpus.parent}/", str(corpus)], one)
    atheris.Fuzz()


def fuzz_all(seconds: int) -> dict[str, object]:
    """Fuzz every parser, and return the figures."""
    faults, runs, names = [], 0, list(parsers())
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        seeds = write_seeds(Path(folder, "seeds"))
        for name in names:
            corpus = Path(folder, name, "corpus")
            corpus.mkdir(parents=True)
            _fill(corpus, seeds, parsers()[name][1])
            argv = [sys.executable, "-m", "tests.robustness.coverage", "--one", name, str(corpus)]
            argv += ["--seconds", str(max(1, seconds // len(names)))]
            ended = run(argv, timeout_s=seconds + 120, env=clean_environment(EDGEECHO_MAX_MEMORY="256M"))
            done = re.findall(r"(?:Done|#)(?: )?(\d+)", ended.stderr)
            runs += int(done[-1]) if done else 0
            if ended.code:
                text = next((line for line in ended.stderr.splitlines() if "Error" in line), ended.stderr[-200:])
                faults.append(f"{name}: {text[:200]}")
            print(f"{name}: {done[-1] if done else 0} inputs, ended with {ended.code}", file=sys.stderr)
    return {"parsers": len(names), "inputs": runs, "seconds": seconds, "faults": faults}


def _fill(corpus: Path, seeds: list[Path], suffix: str) -> None:
    from tests.robustness.models import NANO

    for path in seeds:
        if path.name.endswith(suffix) and path.stat().st_size <= _MAX_BYTES:
            (corpus / path.name).write_bytes(path.read_bytes())
    if suffix in (".onnx", ".json"):
        from edgeecho.model.sealed_file import read_verified

        found = read_verified(NANO / "stream.int8.onnx")
        data = found.spec.to_json().encode() if suffix == ".json" else found.data[-20_000:]
        (corpus / f"seed{suffix}").write_bytes(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--one", nargs=2, metavar=("NAME", "CORPUS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        _fuzz(given.one[0], Path(given.one[1]), given.seconds)
    else:
        print(json.dumps(fuzz_all(given.seconds), indent=1))
