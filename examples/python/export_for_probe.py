"""Export a model in int8, calibrated and tested on cines of your own probe.

    python examples/python/export_for_probe.py MODEL FOLDER OUT

FOLDER contains two cines or more. Needs `pip install '.[export]'`. The same on the command line:
`edgeecho export MODEL --int8 --calib cine:FOLDER --out OUT`.
"""

import sys
from pathlib import Path

from edgeecho.errors import EdgeEchoError
from edgeecho.export.bundle import export
from edgeecho.export.options import Options


def main(model: str, folder: str, out: str) -> int:
    """Write the bundle, or print why it cannot be written."""
    options = Options(calib=f"cine:{folder}", formats=("onnx",))
    try:
        bundle = export(model, Path(out), options, progress=lambda text: print(text, file=sys.stderr))
    except EdgeEchoError as error:
        print(f"error: {error}")
        return 1
    for file in sorted(bundle.folder.iterdir()):
        print(file.name)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
