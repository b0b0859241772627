"""`OneThread`: detection of two threads that use one stream at the same time."""

import threading
from types import TracebackType

from edgeecho.errors import ConcurrentUseError


class OneThread:
    """A context of which only one thread may be inside; the same thread may enter it again.

    A stream keeps the state of one cine, so frames that two threads push at once would give wrong masks. Waiting for
    each other would hide this: the frames' order would be a matter of chance. Calls from several threads one after
    another are no error.
    """

    def __init__(self, what: str) -> None:
        """
        Args:
            what: Name of the object, for the message.
        """
        self._what, self._lock = what, threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise ConcurrentUseError(
                f"two threads use one {self._what} at the same time, which would mix their frames; open one for each "
                "thread"
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
