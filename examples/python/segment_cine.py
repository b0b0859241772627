"""Outline the left ventricle in a cine and print what was measured.

    python examples/python/segment_cine.py CINE [MASKS.npz]

CINE is any file that `edgeecho segment` reads. Needs `pip install .`, and `.[dicom]` for DICOM.
"""

import sys

import numpy as np

import edgeecho


def main(cine_path: str, masks_path: str | None = None) -> None:
    """Segment one cine, print its beats, and write the masks if a path is given."""
    cine = edgeecho.read_cine(cine_path)
    result = edgeecho.load().segment(cine)
    for beat in result.beats:
        print(f"ED frame {beat.ed_frame}, ES frame {beat.es_frame}: EF {beat.ef_percent:.1f}%")
    if result.ef_percent is not None:
        print(f"EF {result.ef_percent:.1f}%, the median of {len(result.beats)} beats")
    for warning in result.warnings:
        print(f"warning: {warning}")
    if masks_path:
        np.savez_compressed(masks_path, mask=result.mask, area_px=result.area_px)


if __name__ == "__main__":
    main(*sys.argv[1:])
