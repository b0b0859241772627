"""The receiver: a C-STORE provider (PS3.4 B) by pynetdicom that segments the cines that it is sent."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edgeecho.batch import CineOptions, CineTask, Outcome, Settings
from edgeecho.batch.run import send_products
from edgeecho.batch.segment_cine import segment_cine
from edgeecho.dicom import Target
from edgeecho.dicom.kinds import check_products
from edgeecho.errors import ConfigError, OutputError, require
from edgeecho.runtime import CinePredictor
from edgeecho.serve.connections import MAX_CONNECTIONS, REQUEST_S, bound_connection, give_up_unasked, reject_beyond
from edgeecho.serve.inbox import Inbox

ACCEPTED = (
    "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.6",
)
"""Ultrasound multi-frame images and ultrasound images, each with its retired class. Not what EdgeEcho itself writes, so
that a receiver that sends to itself does not segment its own captures."""
SUCCESS, NO_ROOM, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
"""Status of a C-STORE (PS3.4 B.2.3)."""
DEFLATED = "1.2.840.10008.1.2.1.99"
_VERIFICATION = "1.2.840.10008.1.1"
_NO_TASK = CineTask("", "inbox", CineOptions(), is_hidden=True)


@dataclass(frozen=True, kw_only=True)
class ReceiverSettings:
    """Settings of a receiver."""

    port: int
    host: str = "127.0.0.1"
    """Address to listen at; `0.0.0.0` for every network of the machine."""
    aet: str = "EDGEECHO"
    """Title by which senders must call it."""
    senders: tuple[str, ...] = ()
    """Titles of the senders that are let in; empty for all."""
    max_waiting: int = 64
    """Most files that wait; more are refused, and their senders try again later."""
    max_bytes: int = 1 << 30
    """Largest object; the association of a sender of a larger one is aborted."""
    max_associations: int = 8
    timeout_s: float = 60.0
    """Longest silence of a sender."""
    target: Target | None = None
    """Receiver to which the DICOM products are sent."""

    def __post_init__(self) -> None:
        if not 0 <= self.port < 1 << 16:
            raise ConfigError(f"--dicom takes a port from 1 to 65535, got {self.port}")
        for title in (self.aet, *self.senders):
            if not 0 < len(title.strip()) <= 16 or not title.isascii() or "\\" in title:
                raise ConfigError(f"an AE title has 1 to 16 ASCII characters without backslash, got {title!r}")
        if min(self.max_waiting, self.max_bytes, self.max_associations) < 1:
            raise ConfigError("max_waiting, max_bytes and max_associations must be at least 1")


class Receiver:
    """A running receiver, to be used in a `with` statement; leaving it ends the cine at work and leaves the others."""

    def __init__(
        self,
        predictor: CinePredictor,
        settings: Settings,
        receiver: ReceiverSettings,
        report: Callable[[Outcome], None],
    ) -> None:
        """
        Args:
            predictor: An opened model.
            settings: Settings of the results; received files wait in its folder.
            receiver: Settings of the network.
            report: Called with the outcome of each cine, in the thread that segments.

        Raises:
            MissingExtraError: If pynetdicom is not installed.
            ConfigError: If there is a receiver of products and nothing to send.
            OutputError: If the folder cannot be written.
        """
        check_products(settings.products, receiver.target)
        self._net, self._pydicom = require("pynetdicom", "dicom-out"), require("pydicom", "dicom-out")
        self._predictor, self._settings, self._receiver, self._report = predictor, settings, receiver, report
        self._inbox = Inbox(Path(settings.out) / "inbox", receiver.max_waiting)
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._bytes: dict[Any, int] = {}
        self._server: Any = None

    def __enter__(self) -> Self:
        """Start to listen.

        Raises:
            ConfigError: If the port cannot be listened at.
        """
        entity, events = self._entity(), self._net.evt
        handlers = [
            (events.EVT_C_STORE, self._store),
            (events.EVT_DATA_RECV, self._count),
            (events.EVT_DIMSE_RECV, lambda event: self._bytes.pop(event.assoc, None)),
            (events.EVT_CONN_OPEN, lambda event: bound_connection(event, self._receiver.timeout_s)),
            (events.EVT_REQUESTED, lambda event: reject_beyond(event, self._receiver.max_associations)),
            (events.EVT_CONN_CLOSE, self._forget),
        ]
        address = (self._receiver.host, self._receiver.port)
        try:
            self._server = entity.start_server(address, block=False, evt_handlers=handlers)
        except (OSError, OverflowError) as error:
            where = f"{address[0]}:{address[1]}"
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"cannot listen at {where}: {reason}; choose another --dicom port or --host") from error
        self._server.verify_request = self._has_room
        for path in self._inbox.given_up:
            self._report(
                Outcome(self._task(path), error=f"{self._task(path).label}: ended the process twice; given up")
            )
        self._worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._inbox.close()
        self._worker.join()

    @property
    def port(self) -> int:
        """Port that it listens at."""
        return int(self._server.server_address[1])

    def _entity(self) -> Any:
        settings = self._receiver
        entity = self._net.AE(ae_title=settings.aet)
        entity.require_called_aet = True
        entity.require_calling_aet = list(settings.senders)
        entity.maximum_associations = MAX_CONNECTIONS  # it counts those too that asked for none; see `reject_beyond`
        entity.network_timeout = entity.dimse_timeout = settings.timeout_s
        entity.acse_timeout = min(settings.timeout_s, REQUEST_S)
        syntaxes = [syntax for syntax in self._net.ALL_TRANSFER_SYNTAXES if syntax != DEFLATED]
        for kind in ACCEPTED:
            entity.add_supported_context(kind, syntaxes)
        entity.add_supported_context(_VERIFICATION)
        return entity

    def _has_room(self, _request: object, _address: object) -> bool:
        """Whether one more connection is taken; socketserver closes the others."""
        return len(self._server.active_associations) < MAX_CONNECTIONS

    def _forget(self, event: Any) -> None:
        self._bytes.pop(event.assoc, None)
        give_up_unasked(event)

    def _count(self, event: Any) -> None:
        """Abort an association that sends more than an object may have."""
        count = self._bytes.get(event.assoc, 0) + len(event.data)
        self._bytes[event.assoc] = count
        if count > self._receiver.max_bytes:
            event.assoc.abort()

    def _store(self, event: Any) -> int:
        """Store an object and return the status of its C-STORE."""
        uid = self._pydicom.uid.UID(str(event.request.AffectedSOPInstanceUID))
        if not uid.is_valid:  # it becomes the name of a file
            return NOT_UNDERSTOOD
        if self._inbox.is_full:
            return NO_ROOM
        try:
            return SUCCESS if self._inbox.add(str(uid), event.encoded_dataset()) else NO_ROOM
        except OutputError:
            return NO_ROOM

    def _task(self, path: Path) -> CineTask:
        pseudonyms = self._settings.pseudonyms
        name = pseudonyms.name("instance", path.stem) if pseudonyms else path.stem
        return CineTask(str(path), name, CineOptions(), is_hidden=True)  # the path is that of a file to be removed

    def _work(self) -> None:
        """Segment files until the inbox is closed; whatever is wrong with one, the next is taken."""
        while True:
            try:
                path = self._inbox.take()
                if path is None:
                    return
                outcome = self._segment(path)
            except (OSError, OutputError) as error:
                outcome = Outcome(_NO_TASK, error=f"the inbox cannot be written: {error}", stops=True)
            with suppress(Exception):  # of the caller's, such as a closed terminal
                self._report(outcome)

    def _segment(self, path: Path) -> Outcome:
        task = self._task(path)
        try:
            outcome = send_products(segment_cine(self._predictor, task, self._settings), self._receiver.target)
        except Exception as error:  # a fault of ours must not end the receiver
            kind = type(error).__name__
            outcome = Outcome(task, error=f"{task.label}: could not be segmented ({kind}); report this as a bug")
        if outcome.stops:
            self._inbox.put_back(path)
        else:
            path.unlink(missing_ok=True)
        return outcome
