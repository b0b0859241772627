"""Write the frames of a cine as grey PGM images, which the C examples read.

    python examples/python/cine_to_pgm.py CINE > frames.pgm

Frame rate and pixel size are printed on stderr, as options of `push_frames`. Needs `pip install '.[dicom]'` for DICOM.
"""

import sys

import edgeecho


def main(cine_path: str) -> None:
    """Write the images of a file one after another, without anything between them."""
    cine = edgeecho.read_cine(cine_path)
    _, height, width = cine.frames.shape
    for frame in cine.frames:
        sys.stdout.buffer.write(b"P5 %d %d 255\n" % (width, height) + frame.tobytes())
    options = [f"fps={cine.fps:.3f}"] if cine.fps else []
    if cine.spacing_mm:
        options.append("spacing={:.4f},{:.4f}".format(*cine.spacing_mm))
    print(f"{len(cine.frames)} frames of {width}x{height}: {' '.join(options)}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
