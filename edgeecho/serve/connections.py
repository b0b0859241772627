"""Connections of a receiver: bounded in their number, in the length of a PDU, and in the time that one may take.

pynetdicom reads whatever length a PDU states (4 bytes: up to 4 GB), waits without an end for the rest of one, and keeps
a place for a connection that asked for nothing, even after it was closed.
"""

import socket
import struct
import time
from typing import Any

MAX_CONNECTIONS = 32
"""Connections at a time; more are closed at once."""
MAX_PDU_BYTES = 1 << 20
"""Longest PDU (PS3.8 9.3); the receiver announces that it takes 16 kB of data in one."""
REQUEST_S = 10.0
"""Longest wait for the request of an association, and for its whole PDU."""
LOCAL_LIMIT_EXCEEDED = (0x02, 0x03, 0x02)
"""Result, source and reason of a rejected association (PS3.8 9.3.4)."""
_HEADER = struct.Struct(">BBL")


class PduSocket(socket.socket):
    """A connection from which PDUs are read; `recv` raises an `OSError` at one that is too long or too slow."""

    def bound(self, patience_s: float) -> None:
        """Begin to count.

        Args:
            patience_s: Longest time of a PDU, and longest silence within one; the first has at most `REQUEST_S`.
        """
        self._patience_s = patience_s
        self._header, self._left = b"", 0
        self._deadline_s: float | None = time.monotonic() + min(patience_s, REQUEST_S)
        self.settimeout(min(patience_s, REQUEST_S))

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read at most `size` bytes of the PDU that comes.

        Raises:
            TimeoutError: If its time is over.
            ConnectionError: If it is longer than `MAX_PDU_BYTES`.
        """
        now = time.monotonic()
        if self._deadline_s is None:
            self._deadline_s = now + self._patience_s
        if now > self._deadline_s:
            raise TimeoutError("the PDU takes too long")
        data = super().recv(min(size, self._left or _HEADER.size - len(self._header)), flags)
        self._count(data)
        return data

    def _count(self, data: bytes) -> None:
        """Follow the PDU that was read so far."""
        if self._left:
            self._left -= len(data)
        else:
            self._header += data
            if len(self._header) < _HEADER.size:
                return
            self._left = _HEADER.unpack(self._header)[2]
            if self._left > MAX_PDU_BYTES:
                raise ConnectionError(f"a PDU of {self._left} bytes; at most {MAX_PDU_BYTES} are taken")
        if not self._left:
            self._header, self._deadline_s = b"", None
            self.settimeout(self._patience_s)


def bound_connection(event: Any, patience_s: float) -> None:
    """Bound the PDUs of a connection that was just opened (`EVT_CONN_OPEN`)."""
    opened = event.assoc.dul.socket
    opened.socket = PduSocket(fileno=opened.socket.detach())
    opened.socket.bound(patience_s)


def give_up_unasked(event: Any) -> None:
    """Free the place of a connection that was closed before it asked for an association (`EVT_CONN_CLOSE`)."""
    if event.assoc.requestor.primitive is None:
        event.assoc.dul.to_user_queue.put(None)  # as after the longest wait for a request


def reject_beyond(event: Any, most: int) -> None:
    """Reject an association (`EVT_REQUESTED`) while `most` others are established, as its sender may try again."""
    others = [other for other in event.assoc.ae.active_associations if other is not event.assoc]
    if sum(other.is_established for other in others) >= most:
        event.assoc.acse.send_reject(*LOCAL_LIMIT_EXCEEDED)
        event.assoc.kill()  # waits until that is sent
