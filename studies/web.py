"""Does the page in the browser give Python's masks, and how many frames a second does it segment?

    python -m studies.web [--hearts N] [--data camus:DIR] [--models NAME,...] [--limit N] [VIDEO...]

Cines are dropped as grey PNG frames onto the page of `make web` in headless Chromium, and segmented by Python's stream
in ONNX Runtime: drawn hearts on their screens, the SonoSite loop of the pydicom package and, with `--data`, cines of
patients. Printed are the bytes of masks that differ, EF and verdict of both, and the median times of the page, on one
thread. The loop is then dropped as H.264 (MP4) and VP8 (WEBM), and so is each VIDEO: there the decoders differ too, and
Dice of the page's masks with Python's shows by how much. docs/web.md has the figures.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pydicom

import edgeecho
from edgeecho.cine import Cine
from edgeecho.runtime import Segmentation, StreamingPredictor, stream
from edgeecho.synthetic.phantom import draw_cine
from studies.trust_inputs import Options, data_cines
from studies.web_page import Opened, Saved, find_chromium, open_page, serve, write_stills

HEARTS = 8
MODELS = ("cl_unet_edge", "cl_unet_nano")
CODECS = {"loop.mp4": "libx264", "loop.webm": "libvpx"}
FPS, BITS_PER_SECOND = 30, 2_000_000
"""Frame rate of cines without one, and bit rate of the encoded loop."""


def sonosite() -> Cine:
    """Read the SonoSite loop without its spacing, which a video has none of."""
    return replace(edgeecho.read_cine(pydicom.examples.get_path("ybr_color")), spacing_mm=None)


def cines(hearts: int, data: str | None, limit: int) -> Iterator[tuple[str, Cine]]:
    """Yield cines with their names."""
    yield "SonoSite loop", sonosite()
    for seed in range(hearts):
        yield f"drawn heart {seed}", replace(draw_cine(seed), spacing_mm=None)
    for reads in data_cines(Options(data=(data,), limit=limit)).values() if data else ():
        for number, read in enumerate(reads):
            yield f"patient {number}", replace(read(), spacing_mm=None)


def by_python(predictor: StreamingPredictor, cine: Cine) -> Segmentation:
    """Segment grey frames, without what the reader of the cine found beside them."""
    return predictor.segment(Cine(cine.frames, fps=cine.fps or FPS))


def by_page(opened: Opened, folder: Path, cine: Cine) -> Saved:
    """Drop the frames of a cine and return what the page saves."""
    opened.page.locator("#fps").fill(str(cine.fps or FPS))
    opened.drop(write_stills(folder / "stills", cine.frames))
    if said := opened.wait_done():
        raise SystemExit(said)
    return opened.save(folder)


def show(ef_percent: float | None, verdict: str) -> str:
    """Return EF and verdict as text."""
    return f"{'-' if ef_percent is None else f'{ef_percent:.1f}'} {verdict}"


def print_row(*values: object) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, values))} |")


def compare(opened: Opened, model: str, given: Iterator[tuple[str, Cine]]) -> None:
    """Print a row for each cine, and the sum."""
    predictor = stream(model.split()[0], threads=1)
    opened.choose(model)
    print("\n| cine | frames | differing bytes of the masks | page: EF, verdict | Python | network ms | frame ms |")
    print("|---|---:|---:|---|---|---:|---:|")
    frames = differing = 0
    network, whole = [], []
    for name, cine in given:
        wanted = by_python(predictor, cine)
        with tempfile.TemporaryDirectory() as folder:
            saved, masks = by_page(opened, Path(folder), cine)
        unequal = int(np.count_nonzero(masks != wanted.mask))
        timing = saved["timing"]
        row = (name, len(masks), unequal, show(saved["ef_percent"], saved["verdict"]))
        ours = show(wanted.ef_percent, wanted.verdict)
        print_row(*row, ours, f"{timing['network_ms']:.1f}", f"{timing['frame_ms']:.1f}")
        frames, differing = frames + len(masks), differing + unequal
        network.append(timing["network_ms"])
        whole.append(timing["frame_ms"])
    per_second = 1e3 / float(np.median(whole))
    print(f"\n{model}: {differing} bytes of the masks of {frames} frames differ. Medians over the cines: network")
    print(f"{np.median(network):.1f} ms, whole frame {np.median(whole):.1f} ms, {per_second:.0f} frames a second.")


def encode(path: Path, codec: str, cine: Cine) -> Path:
    """Write a cine as a video."""
    height, width = cine.frames.shape[1:]
    container: Any = av.open(str(path), "w")
    with container:
        video = container.add_stream(codec, rate=round(cine.fps or FPS))
        video.width, video.height, video.pix_fmt, video.bit_rate = width, height, "yuv420p", BITS_PER_SECOND
        for frame in cine.frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(video.encode())
    return path


def compare_videos(opened: Opened, model: str, paths: list[Path]) -> None:
    """Print a row for each video: both decode it."""
    predictor = stream(model.split()[0], threads=1)
    opened.choose(model)
    opened.page.locator("#fps").fill("")
    print("\n| video | frames | frames a second: page, Python | Dice of both masks | page: EF, verdict | Python |")
    print("|---|---:|---|---:|---|---|")
    for path in paths:
        wanted = predictor.segment(edgeecho.read_cine(path))
        opened.drop([path])
        if said := opened.wait_done():
            print(f"| {path.name} | {said} |")
            continue
        with tempfile.TemporaryDirectory() as folder:
            saved, masks = opened.save(Path(folder))
        both = 2 * np.count_nonzero(masks & wanted.mask) / max(1, int(masks.sum()) + int(wanted.mask.sum()))
        rates = f"{saved['fps']:.3f}, {wanted.fps:.3f}"
        row = (path.name, len(masks), rates, f"{both:.4f}", show(saved["ef_percent"], saved["verdict"]))
        print_row(*row, show(wanted.ef_percent, wanted.verdict))


def main() -> None:
    """Print both tables."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--hearts", type=int, default=HEARTS)
    parser.add_argument("--data")
    parser.add_argument("--limit", type=int, default=20, help="patients of --data")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("videos", nargs="*", type=Path)
    options = parser.parse_args()
    models = options.models.split(",")
    with serve() as site, sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        opened = open_page(browser, site.address)
        for model in models:
            compare(opened, model, cines(options.hearts, options.data, options.limit))
        loop = sonosite()
        encoded = [
            encode(Path(folder, f"loop.{suffix}"), codec, loop)
            for suffix, codec in (("mp4", "libx264"), ("webm", "libvpx"))
        ]
        compare_videos(opened, models[0], [*encoded, *options.videos])
        browser.close()


if __name__ == "__main__":
    main()
