"""Miniatures of the data sets, in their exact form on disk, with every defect that they are known to have.

Drawn, not copied: no pixel and no row comes from a real data set.
"""

import gzip
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIDE = 112
DYNAMIC_HEADER = "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"


def draw_beat(
    frames: int, height: int = SIDE, width: int = SIDE, period: int = 16, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a sector of speckle with a pulsating ellipse, ED at frame 0 and ES at period / 2: uint8 frames and labels.

    Labels are those of CAMUS: 1 the cavity, 2 the wall, 3 an atrium below.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    y, x = (y + 0.5) / height, (x + 0.5) / width
    size = (1 - 0.25 * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / period)))[:, None, None]
    ring = np.hypot((x - 0.5) / (0.16 * size), (y - 0.42) / (0.27 * size))
    atrium = np.hypot((x - 0.5) / 0.13, (y - 0.84) / 0.09) < 1
    labels = np.select([ring < 1, ring < 1.35, np.broadcast_to(atrium, ring.shape)], [1, 2, 3], 0).astype(np.uint8)
    sector = (np.abs(x - 0.5) < 0.08 + 0.45 * y) & (np.hypot(x - 0.5, y) < 0.97)
    level = np.choose(labels, [100, 20, 160, 20]) * sector
    speckle = 1 + 0.2 * rng.standard_normal((frames, height, width))
    return np.clip(np.rint(level * speckle), 0, 255).astype(np.uint8), labels


def write_avi(path: Path, frames: np.ndarray, fps: float = 50) -> None:
    """Write an AVI file in MJPG, the format of both EchoNet sets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = frames.shape[1:]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()


def trace(scale: float = 1.0, centre: tuple[float, float] = (56.3, 47.2), tilt: float = 0.1) -> np.ndarray:
    """Draw a trace as EchoNet-Dynamic has it: the long axis, then 20 discs across it, float64 (21, 4)."""
    length, half_width = 60 * scale, 18 * scale
    down, across = np.array([np.sin(tilt), np.cos(tilt)]), np.array([np.cos(tilt), -np.sin(tilt)])
    along = (np.arange(20) + 0.5) / 20
    middles = np.array(centre) + np.outer(along - 0.5, down) * length
    halves = np.outer(np.sqrt(1 - (2 * along - 1) ** 2), across) * half_width
    axis = np.concatenate([centre - down * length / 2, centre + down * length / 2])
    return np.concatenate([axis[None], np.hstack([middles - halves, middles + halves])]).round(8)


def polygon(scale: float = 1.0, centre: tuple[float, float] = (56.3, 47.2), count: int = 32) -> np.ndarray:
    """Draw an outline as EchoNet-Pediatric has it: vertices in order, float64 (count, 2)."""
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([centre[0] + 18 * scale * np.cos(angle), centre[1] + 30 * scale * np.sin(angle)], 1).round(3)


def write_dynamic(root: Path) -> Path:
    """Write EchoNet-Dynamic with one video for each defect, by which it is named."""
    rows, traces = list[str](), ["FileName,X1,Y1,X2,Y2,Frame"]
    ed, es = trace(1.0), trace(0.8)

    def add(
        name: str,
        *frames: tuple[int | str, np.ndarray],
        split: str = "TRAIN",
        size: tuple[int, int] = (SIDE, SIDE),
        listed: str | None = None,
        traced: str | None = None,
        figures: str = "50,40,80",
    ) -> None:
        height, width = size
        rows.append(f"{listed or name},{figures},{height},{width},50,20,{split}")
        write_avi(root / "Videos" / f"{name}.avi", draw_beat(20, height, width)[0])
        for frame, points in frames:
            traces.extend(f"{traced or f'{name}.avi'},{','.join(map(repr, map(float, p)))},{frame}" for p in points)

    add("0XPLAIN", (0, ed), (8, es))
    add("0XEDLAST", (8, es), (0, ed))
    add("0XEDAFTERES", (16, ed), (8, es))
    add("0XSUFFIX", (0, ed), (8, es), listed="0XSUFFIX.avi", traced="0XSUFFIX", split="VAL")
    add("0XLOWER", (0, ed), (8, es), split="test")
    add("0XUNTRACED", size=(192, 256), split="TEST")
    add("0XREPEATED", (0, np.concatenate([ed, ed])), (8, np.repeat(es, 3, axis=0)))
    add("0XTWOTRACES", (0, np.concatenate([ed, trace(0.95)])), (8, es))
    add("0XODDROWS", (0, ed[:18]), (8, es))
    add("0XOUTSIDE", (0, trace(1.0, (15, 88))), (8, trace(0.8, (15, 88))))
    add("0XNAN", (0, np.where(np.arange(21)[:, None] == 7, np.nan, ed)), (8, es))
    add("0XBEYOND", (0, ed), (20, es))
    add("0XEFODD", (0, ed), (8, es), figures="61,40,80")
    add("0XSPLIT", (0, ed), (8, es), split="EXTRA")
    add("0XCORRUPT", (0, ed), (8, es))
    rows.append(rows[0])
    rows.append("0XMISSING,50,40,80,112,112,50,20,VAL")
    traces.extend(f"0XORPHAN.avi,{','.join(map(str, p))},3" for p in ed)
    write_avi(root / "Videos" / "0XUNLISTED.avi", draw_beat(4)[0])
    damaged = root / "Videos" / "0XCORRUPT.avi"
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    (root / "FileList.csv").write_text("\n".join([DYNAMIC_HEADER, *rows]) + "\n")
    (root / "VolumeTracings.csv").write_text("\n".join(traces) + "\n")
    return root


def write_pediatric(root: Path, base: int = 1, *, proof: bool = True) -> Path:
    """Write EchoNet-Pediatric as its archive unpacks; frames count from `base`, and with `proof` one label shows it."""
    inside = root / "pediatric_echo_avi" / "pediatric_echo_avi"
    ed, es = polygon(1.0), polygon(0.8)
    holed = ed.copy()
    holed[5] = np.nan
    last = 19 + base
    videos: dict[str, tuple[str, Sequence[tuple[int | str, np.ndarray]]]] = {
        "CR01-CR02-000001": ("0", [(base + 2, ed), (base + 8, es)]),
        "CR01-CR02-000002": ("3", [(base + 8, es), ((last if base else 0) if proof else base + 16, ed)]),
        "CR03-CR04-000003": ("7", [(base + 2, ed), ("No Systolic", np.full((1, 2), np.nan))]),
        "CR05-CR06-000004": ("8", [("No Diastolic", np.full((1, 2), np.nan)), (base + 8, es)]),
        "CR07-CR08-000005": ("9", [(base + 2, holed), (base + 8, es)]),
        "CR09-CR10-000006": ("9", [(base + 2, np.full((32, 2), np.nan)), (base + 40, es)]),
        "CR11-CR12-000007": ("4", []),
    }
    for view in ("A4C", "PSAX"):
        rows, traces = ["FileName,EF,Sex,Age,Weight,Height,Split"], ["FileName,X,Y,Frame"]
        for name, (fold, frames) in videos.items():
            rows.append(f"{name}.avi,61.5,F,9,{'' if fold == '9' else '30.5'},nan,{fold}")
            write_avi(inside / view / "Videos" / f"{name}.avi", draw_beat(20)[0], 40)
            for frame, points in frames:
                traces.extend(f"{name}.avi,{x},{y},{frame}" for x, y in points)
        (inside / view / "FileList.csv").write_text("\n".join(rows) + "\n")
        (inside / view / "VolumeTracings.csv").write_text("\n".join(traces) + "\n")
    return root


def write_nifti(path: Path, frames: np.ndarray, spacing_mm: tuple[float, float]) -> None:
    """Write NIfTI-1 by hand: uint8 (T, H, W), stored (x, y) or (x, y, t) as CAMUS does."""
    count, height, width = frames.shape
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 2 if count == 1 else 3, width, height, count, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)  # uint8, 8 bits
    struct.pack_into("<8f", header, 76, 1, spacing_mm[1], spacing_mm[0], 1, 1, 1, 1, 1)
    struct.pack_into("<2f", header, 108, 352, 1)  # where the values begin, and their slope
    header[123] = 2  # millimetres
    header[344:348] = b"n+1\0"
    path.write_bytes(gzip.compress(bytes(header) + frames.tobytes(), mtime=0))


def write_metaimage(
    path: Path, frames: np.ndarray, spacing_mm: tuple[float, float], *, packed: bool = False, element: str = "MET_UCHAR"
) -> None:
    """Write MetaImage: uint8 (T, H, W) as .mhd and .raw (or .zraw)."""
    count, height, width = frames.shape
    values = frames.astype({"MET_UCHAR": "u1", "MET_SHORT": ">i2", "MET_FLOAT": ">f4"}[element]).tobytes()
    data = path.with_suffix(".zraw" if packed else ".raw")
    data.write_bytes(zlib.compress(values) if packed else values)
    path.write_text(
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = {element != 'MET_UCHAR'}\n"
        f"CompressedData = {packed}\nElementSpacing = {spacing_mm[1]} {spacing_mm[0]} 1.54\n"
        f"DimSize = {width} {height} {count}\nElementType = {element}\nElementDataFile = {data.name}\n"
    )


def write_patient(
    folder: Path, view: str, *, first_release: bool = False, es_first: bool = False, masked: bool = True, seed: int = 0
) -> None:
    """Write one view of a CAMUS patient: half sequence, ED and ES stills, masks, cfg; pixels of 0.3 by 0.4 mm."""
    folder.mkdir(parents=True, exist_ok=True)
    frames, labels = draw_beat(9, 96, 120, seed=seed)
    if es_first:
        frames, labels = frames[::-1], labels[::-1]
    at = {"ED": 8, "ES": 0} if es_first else {"ED": 0, "ES": 8}
    stem, spacing = f"{folder.name}_{view}", (0.3, 0.4)
    parts = {("" if first_release else "half_") + "sequence": frames}
    if not first_release:
        parts["half_sequence_gt"] = labels
    for phase, index in at.items():
        parts[phase] = frames[index : index + 1]
        if masked:
            parts[f"{phase}_gt"] = labels[index : index + 1]
    for part, pixels in parts.items():
        if first_release:
            write_metaimage(folder / f"{stem}_{part}.mhd", pixels, spacing)
        else:
            write_nifti(folder / f"{stem}_{part}.nii.gz", pixels, spacing)
    info = {"ED": at["ED"] + 1, "ES": at["ES"] + 1, "NbFrame": 9, "Sex": "F", "Age": 56, "ImageQuality": "Good"}
    more = {"LVedv": 94.3, "LVesv": 43.4, "LVef": 54} if first_release else {"EF": 54, "FrameRate": 48.4}
    text = "".join(f"{key}: {value}\n" for key, value in (info | more).items())
    (folder / f"Info_{view}.cfg").write_text(text)


def write_camus_release(root: Path) -> Path:
    """Write the NIfTI release of CAMUS with four patients; the second's 4CH half sequence runs from ES to ED."""
    for number in range(1, 5):
        for view in ("2CH", "4CH"):
            folder = root / "database_nifti" / f"patient{number:04d}"
            write_patient(folder, view, es_first=(number, view) == (2, "4CH"), seed=number)
    lists = root / "database_split"
    lists.mkdir()
    for name, numbers in {"training": (1, 2), "validation": (3,), "testing": (4,)}.items():
        (lists / f"subgroup_{name}.txt").write_text("\n".join(f"patient{n:04d}" for n in numbers))
    return root


def write_camus_first_release(root: Path) -> Path:
    """Write the first release of CAMUS: .mhd and .raw, two patients to train on and one test patient without masks."""
    for number in (9, 10):
        for view in ("2CH", "4CH"):
            write_patient(root / "training" / f"patient{number:04d}", view, first_release=True, seed=number)
    for view in ("2CH", "4CH"):
        write_patient(root / "testing" / "patient0009", view, first_release=True, masked=False, seed=99)
    return root


def write_own(root: Path) -> Path:
    """Write a site's own folder: an AVI with polygons, a mirrored PNG folder with a mask, an NPZ, and wrong rows."""
    frames, labels = draw_beat(20)
    write_avi(root / "a.avi", frames, 40)
    (root / "b").mkdir()
    (root / "masks").mkdir()
    for index, frame in enumerate(frames):
        cv2.imwrite(str(root / "b" / f"{index}.png"), frame[:, ::-1])
    cv2.imwrite(str(root / "masks" / "b_0.png"), (labels[0, :, ::-1] == 1) * np.uint8(255))
    cv2.imwrite(str(root / "masks" / "small.png"), np.full((50, 50), 255, np.uint8))
    np.savez(root / "c.npz", frames=frames)
    write_avi(root / "unlisted.avi", frames[:4])
    points = " ".join(f"{value:g}" for value in polygon().ravel())
    lines = [
        "file,frame,phase,mask,polygon,patient,split,view,flip,fps,row_mm,column_mm,ef_percent",
        f"a.avi,0,ED,,{points},p1,train,A4C,,,0.4,0.3,58",
        "a.avi,8,ES,,40 40 70 40 70 70 40 70,,,,,,,,",
        "b,0,ED,masks/b_0.png,,p2,val,4CH,lr,55,,,",
        "b,1,ES,masks/small.png,,,,,,,,,",
        "c.npz,3,,,40 40 70 40 70 70,p3,,PLAX,,9,,,",
        "c.npz,99,,,40 40 70 40 70 70,,,,,,,,",
        "c.npz,4,,,40 40,,,,,,,,",
        "gone.avi,0,ED,,40 40 70 40 70 70,p4,test,2CH,,,,,",
    ]
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def write_many(root: Path, count: int = 10_000, frames: int = 176) -> Path:
    """Write EchoNet-Dynamic in its full size, to time `check` and `summary` on: one video, linked `count` times."""
    rng = np.random.default_rng(0)
    first = root / "Videos" / f"0X{0:016X}.avi"
    write_avi(first, draw_beat(frames)[0])
    rows = {f: [",".join(map(repr, map(float, row))) for row in trace(s)] for f, s in ((40, 1.0), (48, 0.8))}
    with (root / "FileList.csv").open("w") as files, (root / "VolumeTracings.csv").open("w") as traces:
        files.write(f"{DYNAMIC_HEADER}\n")
        traces.write("FileName,X1,Y1,X2,Y2,Frame\n")
        for number in range(count):
            name, ef, edv = f"0X{number:016X}", rng.normal(55.7, 12.4), rng.uniform(40, 170)
            split = rng.choice(["TRAIN", "VAL", "TEST"], p=[0.744, 0.129, 0.127])
            files.write(f"{name},{ef},{edv * (1 - ef / 100)},{edv},{SIDE},{SIDE},50,{frames},{split}\n")
            for frame, of_frame in rows.items():
                traces.writelines(f"{name}.avi,{row},{frame}\n" for row in of_frame)
            if number:
                (root / "Videos" / f"{name}.avi").hardlink_to(first)
    return root


if __name__ == "__main__":
    import sys

    write_many(Path(sys.argv[1]), int(sys.argv[2]))  # python tests/data/miniatures.py DIR 10000
