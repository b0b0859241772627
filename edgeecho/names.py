"""Names of files: as text that can be printed, and as names that OpenCV and FFmpeg can open."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeecho.leftovers import temporary_prefix

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def printable(text: str | os.PathLike[str], encoding: str = "utf-8") -> str:
    r"""Return a path, or a text that contains one, without what a stream or a reader of JSON cannot take.

    Python keeps the bytes of a name that are no UTF-8 as surrogates, which cannot be encoded: they become `\xNN`. So do
    control characters, except ends of lines and tabs, and characters that the encoding lacks.

    Args:
        text: The path or text.
        encoding: Encoding of the stream that it is printed on.
    """
    whole = os.fspath(text)
    try:
        whole = whole.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        whole = whole.encode("utf-8", "backslashreplace").decode("utf-8")
    whole = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", whole)
    return whole.encode(encoding, "backslashreplace").decode(encoding)


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
    whole = Path(os.path.realpath(path))  # unlike `resolve` it takes links in a circle
    if printable(whole) == os.fspath(whole):
        yield os.fspath(whole)
        return
    with tempfile.TemporaryDirectory(prefix=temporary_prefix("edgeecho-")) as folder:
        suffix = whole.suffix if whole.suffix.isascii() else ""
        link = Path(folder, f"cine{suffix}")
        link.symlink_to(whole)
        yield os.fspath(link)
