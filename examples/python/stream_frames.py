"""Outline frames one by one, as a probe delivers them.

    python examples/python/stream_frames.py CINE

The frames of a file stand for a probe's. Each is answered after `stream.delay_frames` more, because the network looks
at frames on either side. Beats are measured once region and orientation are sure. Needs `pip install .`.
"""

import sys

import edgeecho


def main(cine_path: str) -> None:
    """Push the frames of a cine through a stream and print a line for each answer, and the reasons that limit them."""
    cine = edgeecho.read_cine(cine_path)
    stream = edgeecho.stream(fps=cine.fps, spacing_mm=cine.spacing_mm)
    print(f"answers come {stream.delay_frames} frames late")
    for frame in cine.frames:
        if result := stream.push(frame):
            show(result)
    for result in stream.flush():
        show(result)
    for finding in stream.findings:
        print(f"{finding.level.name.lower()}: {finding.text}")


def show(result: edgeecho.FrameResult) -> None:
    """Print the area of a frame, and EF as soon as a beat is complete."""
    ef = "" if result.ef_percent is None else f", EF {result.ef_percent:.1f}%"
    print(f"frame {result.frame}: area {result.area_px:.0f} px{ef}")


if __name__ == "__main__":
    main(*sys.argv[1:])
