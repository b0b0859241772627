"""Names of files: as text that can be printed, and as names that OpenCV and FFmpeg can open."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def printable(text: str | os.PathLike[str]) -> str:
    r"""Return a path, or a text that contains one, as text that every stream of UTF-8 and every JSON reader takes.

    Python keeps the bytes of a name that are no UTF-8 as surrogates, which cannot be encoded. They become `\xNN`.
    """
    whole = os.fspath(text)
    try:
        return whole.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return whole.encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def name_for_ffmpeg(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield a name of a file that OpenCV and FFmpeg can open for reading and writing.

    It is the absolute path, which cannot be taken for a protocol ("concat:...") as a relative one might. Bytes that are
    no UTF-8 end the process within OpenCV, so such a path gets a symbolic link in a temporary folder, of a plain name.

    Args:
        path: The file, which need not exist yet.

    Raises:
        OSError: If the link cannot be made.
    """
    whole = Path(path).resolve()
    if printable(whole) == os.fspath(whole):
        yield os.fspath(whole)
        return
    with tempfile.TemporaryDirectory(prefix="edgeecho-") as folder:
        suffix = whole.suffix if whole.suffix.isascii() else ""
        link = Path(folder, f"cine{suffix}")
        link.symlink_to(whole)
        yield os.fspath(link)
