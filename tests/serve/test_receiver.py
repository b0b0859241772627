"""The receiver on loopback: a cine that arrives is segmented and its report sent on; bad senders do not stop it."""

import json
import queue
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.batch import ModelChoice, Outcome, Settings
from edgeecho.dicom import Pseudonyms, Target, send_files
from edgeecho.errors import ConfigError, OutputError
from edgeecho.runtime import CinePredictor
from edgeecho.serve import Receiver, ReceiverSettings
from edgeecho.serve.inbox import AGAIN, RECEIVED, STARTED, Inbox

pynetdicom = pytest.importorskip("pynetdicom", reason="the receiver is made with pynetdicom")
pytest.importorskip("highdicom", reason="reports are made by highdicom")
write = pytest.importorskip("tests.cine.dicom_files").write

CHOICE = ModelChoice(model="cl_unet_nano", threads=1)
UID = "1.2.840.99999.7"


@pytest.fixture(scope="module")
def predictor() -> CinePredictor:
    return CHOICE.open()


@pytest.fixture
def loop(tmp_path: Path, heart: np.ndarray) -> Callable[..., Path]:
    """Function that writes a drawn cine as a DICOM file."""

    def made(number: int = 1, frames: np.ndarray = heart, **header: Any) -> Path:
        values = {"PatientName": "Roeder^Rita", "PatientID": "PATIENT-0007", "StudyInstanceUID": UID, "FrameTime": "40"}
        values |= {"SeriesInstanceUID": f"{UID}.1", "SOPInstanceUID": f"{UID}.1.{number}"}
        return write(tmp_path / f"sent{number}.dcm", frames, **(values | header))

    return made


@pytest.fixture
def archive() -> Iterator[tuple[Target, "queue.Queue[Any]"]]:
    """An archive that takes reports, and what it was sent."""
    entity, got = pynetdicom.AE(ae_title="ARCHIVE"), queue.Queue()
    entity.add_supported_context("1.2.840.10008.5.1.4.1.1.88.33")  # Comprehensive SR
    entity.require_called_aet = True

    def store(event: Any) -> int:
        got.put(event.dataset)
        return 0

    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(pynetdicom.evt.EVT_C_STORE, store)])
    yield Target("127.0.0.1", server.server_address[1], "ARCHIVE"), got
    server.shutdown()


@contextmanager
def receiving(
    predictor: CinePredictor, out: Path, *, pseudonyms: Pseudonyms | None = None, **network: Any
) -> Iterator[tuple[Target, "queue.Queue[Outcome]"]]:
    settings = Settings(out=str(out), choice=CHOICE, write_video=False, products=("sr",), pseudonyms=pseudonyms)
    outcomes: queue.Queue[Outcome] = queue.Queue()
    with Receiver(predictor, settings, ReceiverSettings(port=0, **network), outcomes.put) as receiver:
        yield Target("127.0.0.1", receiver.port, "EDGEECHO"), outcomes


def test_a_cine_is_segmented_and_its_report_sent_on(
    predictor: CinePredictor, loop: Any, archive: Any, tmp_path: Path
) -> None:
    target, got = archive
    with receiving(predictor, tmp_path / "out", target=target) as (here, outcomes):
        send_files([loop()], here)
        outcome = outcomes.get(timeout=60)
    assert (outcome.error, outcome.unsent) == ("", "")
    figures = json.loads((tmp_path / "out" / f"{UID}.1.1.json").read_text())
    assert (figures["input"], figures["frames"], figures["fps"]) == (f"{UID}.1.1", 30, 25)
    report = got.get(timeout=10)
    assert (report.PatientID, report.StudyInstanceUID) == ("PATIENT-0007", UID)
    reference = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == f"{UID}.1.1"
    assert not list((tmp_path / "out" / "inbox").rglob("*.dcm"))


def test_bad_senders_do_not_stop_it(predictor: CinePredictor, loop: Any, tmp_path: Path) -> None:
    with receiving(predictor, tmp_path / "out", max_bytes=1_000_000, timeout_s=3, senders=("EDGEECHO",)) as (
        here,
        outcomes,
    ):
        with socket.create_connection((here.host, here.port)) as other:
            other.sendall(b"GET / HTTP/1.0\r\n\r\n" * 100)
        silent = socket.create_connection((here.host, here.port))
        with pytest.raises(OutputError, match=r"/OTHER refuses the connection; check address, port and both AE titles"):
            send_files([loop()], Target(here.host, here.port, "OTHER"))
        with pytest.raises(OutputError, match="refuses the connection"):
            send_files([loop()], here, calling_aet="STRANGER")
        with pytest.raises(OutputError, match=r"cannot send sent2\.dcm"):
            send_files([loop(2, np.zeros((20, 300, 400), np.uint8))], here)  # larger than it takes
        black = loop(3, np.zeros((5, 64, 64), np.uint8))
        send_files([black, loop(4)], here)
        failed, done = outcomes.get(timeout=60), outcomes.get(timeout=60)
        silent.close()
    assert f"{UID}.1.3: " in failed.error
    assert "black" in failed.error
    assert "inbox" not in failed.error
    assert (done.error, done.task.name) == ("", f"{UID}.1.4")
    assert not list((tmp_path / "out" / "inbox").rglob("*.dcm"))


def test_pseudonyms_stand_for_what_arrives(predictor: CinePredictor, loop: Any, tmp_path: Path) -> None:
    with receiving(predictor, tmp_path / "out", pseudonyms=Pseudonyms(b"0123456789abcdef")) as (here, outcomes):
        send_files([loop()], here)
        outcome = outcomes.get(timeout=60)
    assert outcome.error == ""
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.name.partition(".")[0] for path in files} == {outcome.task.name}
    for path in files:
        assert UID not in path.name
        assert not [value for value in (b"Roeder", b"PATIENT-0007", UID.encode()) if value in path.read_bytes()], (
            path.name
        )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pynetdicom leaves its socket open
def test_a_target_that_is_down_costs_no_result(predictor: CinePredictor, loop: Any, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = Target("127.0.0.1", unused.getsockname()[1], "ARCHIVE")
        with receiving(predictor, tmp_path / "out", target=target) as (here, outcomes):
            send_files([loop()], here)
            outcome = outcomes.get(timeout=60)
    assert "does not answer; check address" in outcome.unsent
    assert (tmp_path / "out" / f"{UID}.1.1.sr.dcm").exists()


def test_the_inbox_is_bounded_and_survives(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, 2)
    assert [inbox.add(name, name.encode()) for name in ("a", "b", "c")] == [True, True, False]
    assert inbox.take() == tmp_path / STARTED / "a.dcm"  # and the process is killed here
    second = Inbox(tmp_path, 2)
    assert (second.is_full, second.given_up) == (True, [])
    assert second.take() == tmp_path / AGAIN / "a.dcm"  # and again
    third = Inbox(tmp_path, 2)
    assert third.given_up == [tmp_path / AGAIN / "a.dcm"]
    assert third.take() == tmp_path / STARTED / "b.dcm"
    assert third.add("d", b"1")
    assert third.add("d", b"2")  # the same name twice
    taken = third.take()
    assert taken is not None
    assert taken.read_bytes() == b"2"
    third.put_back(taken)
    third.close()
    assert third.take() is None
    assert (tmp_path / RECEIVED / "d.dcm").read_bytes() == b"2"


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ConfigError, match="--dicom takes a port from 1 to 65535, got 70000"):
        ReceiverSettings(port=70000)
    with pytest.raises(ConfigError, match="AE title has 1 to 16 ASCII characters without backslash, got 'a title that"):
        ReceiverSettings(port=104, aet="a title that is too long")
    for text in ("host", "host:104", "host:0/AET", "host:104/", "host:70000/AET", "host:104/A TITLE OF TOO MANY"):
        with pytest.raises(ConfigError, match="--send takes HOST:PORT/AET"):
            Target.parse(text)
    assert Target.parse("[::1]:104/MY ARCHIVE") == Target("::1", 104, "MY ARCHIVE")


def test_faults_of_ours_do_not_stop_it(
    predictor: CinePredictor, loop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import edgeecho.serve.receiver as receiver

    def fault(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(receiver, "segment_cine", fault)
    with receiving(predictor, tmp_path / "out") as (here, outcomes):
        send_files([loop(1)], here)
        outcome = outcomes.get(timeout=60)
        assert outcome.error == f"{UID}.1.1: could not be segmented (RuntimeError); report this as a bug"
        monkeypatch.undo()
        send_files([loop(2)], here)
        assert outcomes.get(timeout=60).error == ""


def test_a_port_in_use(predictor: CinePredictor, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        network = ReceiverSettings(port=taken.getsockname()[1])
        receiver = Receiver(predictor, Settings(out=str(tmp_path)), network, lambda _: None)
        with pytest.raises(ConfigError, match=r"cannot listen at 127\.0\.0\.1:\d+: Address already in use; choose"):
            receiver.__enter__()
