"""Connections to the receiver that ask for nothing, state a PDU without end, or stall: none keeps a sender out."""

import random
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.batch import ModelChoice, Settings
from edgeecho.dicom import Target, send_files
from edgeecho.serve import Receiver, ReceiverSettings
from edgeecho.serve.connections import MAX_CONNECTIONS, MAX_PDU_BYTES

pytest.importorskip("pynetdicom", reason="the receiver is made with pynetdicom")
write = pytest.importorskip("tests.cine.dicom_files").write

CHOICE = ModelChoice(model="cl_unet_nano", threads=1)
REQUEST = 1
"""Type of the PDU that asks for an association."""


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    settings = Settings(out=str(tmp_path / "out"), choice=CHOICE, write_video=False)
    network = ReceiverSettings(port=0, timeout_s=2, max_associations=2)
    with Receiver(CHOICE.open(), settings, network, lambda _: None) as running:
        yield running


@pytest.fixture
def cine(tmp_path: Path, heart: np.ndarray) -> Path:
    values = {"SOPInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1"}
    return Path(write(tmp_path / "sent.dcm", heart[:4], FrameTime="40", **values))


def connect(receiver: Receiver) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", receiver.port), 5)
    opened.settimeout(10)
    return opened


def header(length: int, kind: int = REQUEST) -> bytes:
    return struct.pack(">BBL", kind, 0, length)


def is_closed(opened: socket.socket) -> bool:
    """Whether the receiver closes a connection; data that it sends before, such as an abort, are read."""
    try:
        while opened.recv(4096):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def is_refused_within(opened: socket.socket, seconds: float) -> bool:
    """Whether a connection ends while it gets a byte every tenth of a second."""
    begun = time.monotonic()
    try:
        while time.monotonic() < begun + seconds:
            opened.sendall(b"\0")
            time.sleep(0.1)
    except OSError:
        return True
    return False


def send(receiver: Receiver, cine: Path) -> None:
    send_files([cine], Target("127.0.0.1", receiver.port, "EDGEECHO"))


def test_what_is_no_dicom_leaves_no_place_taken(receiver: Receiver, cine: Path) -> None:
    chosen = random.Random(0)
    for _ in range(2 * MAX_CONNECTIONS):
        with connect(receiver) as opened:
            opened.sendall(header(chosen.choice([0, 4, 68, 1000]), chosen.choice([1, 2, 4, 7, 255])))
            opened.sendall(chosen.randbytes(chosen.randrange(100)))
    time.sleep(0.5)
    send(receiver, cine)


def test_more_connections_than_places_are_closed_and_places_become_free(receiver: Receiver, cine: Path) -> None:
    opened = [connect(receiver) for _ in range(MAX_CONNECTIONS + 4)]
    try:
        assert all(map(is_closed, opened[-4:]))
        time.sleep(2.5)  # longer than a receiver of this timeout waits for a request
        send(receiver, cine)
    finally:
        for one in opened:
            one.close()


def test_a_pdu_that_states_more_than_any_has_is_not_read(receiver: Receiver) -> None:
    with connect(receiver) as opened:
        opened.sendall(header(MAX_PDU_BYTES + 1))
        assert is_closed(opened)


def test_a_pdu_byte_by_byte_ends_after_the_timeout(receiver: Receiver) -> None:
    with connect(receiver) as opened:
        opened.sendall(header(200))
        assert is_refused_within(opened, 10.0)


def test_associations_beyond_the_limit_are_rejected_until_one_ends(receiver: Receiver, cine: Path) -> None:
    import pynetdicom

    entity: Any = pynetdicom.AE()
    entity.add_requested_context("1.2.840.10008.1.1")
    held = [entity.associate("127.0.0.1", receiver.port, ae_title="EDGEECHO") for _ in range(3)]
    assert [one.is_established for one in held] == [True, True, False]
    assert held[2].is_rejected
    held[0].release()
    time.sleep(0.5)
    send(receiver, cine)
    held[1].release()
