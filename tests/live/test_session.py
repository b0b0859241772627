"""A live session: the figures of the stream, frames that are dropped and counted, and sources that end or stall."""

import io
import itertools
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.errors import ConfigError, VideoError
from edgeecho.live import LiveSession, open_source
from edgeecho.live.newest import Frame, Newest
from edgeecho.live.orders import obey
from edgeecho.live.recording import Recording
from edgeecho.live.source import CineFile, EndOfSourceError, LostSourceError, RawFrames
from edgeecho.live.state import LiveState
from edgeecho.preprocess import Roi
from edgeecho.reasons import verdict_of
from edgeecho.runtime import CinePredictor, StreamingPredictor, load, stream
from tests.helpers import draw_heart

MODEL = "cl_unet_nano"
HEART = draw_heart(np.random.default_rng(0), frames=40)[0]


def predictor(**settings: object) -> StreamingPredictor:
    return stream(MODEL, threads=1, fps=25, **settings)  # type: ignore[arg-type]


def opener() -> CinePredictor:
    return load(MODEL, threads=1)


def session_of(source: object, **settings: object) -> LiveSession:
    return LiveSession(source, predictor(**settings), Recording(10, (0.9, 0.8), opener))  # type: ignore[arg-type]


class Slowly:
    """A camera that gives frames as fast as they are read, and is lost once."""

    name, fps, spacing_mm, is_waiting = "test", 25.0, None, False

    def __init__(self, frames: np.ndarray, lost_at: int | None = None) -> None:
        self.frames, self.lost_at, self.given, self.restarts = frames, lost_at, 0, 0

    def read(self) -> tuple[np.ndarray, float | None]:
        if self.given == self.lost_at:
            self.lost_at = None
            raise LostSourceError
        if self.given == len(self.frames):
            raise EndOfSourceError
        self.given += 1
        return self.frames[self.given - 1], time.monotonic()

    def restart(self) -> None:
        self.restarts += 1

    def close(self) -> None:
        pass


def test_a_file_gives_the_results_of_the_stream() -> None:
    roi = Roi(0, 0, 128, 128)
    source = CineFile(Cine(HEART, fps=25), "heart", sleep=lambda _: None)
    session, states = session_of(source, roi=roi, flip="none"), list[LiveState]()
    session.listen(states.append)
    session.start()
    last = session.wait()
    shown = [state for state in states if state.frame >= 0 and state.status == "live"]
    pushed = predictor(roi=roi, flip="none")
    wanted = [result for frame in HEART if (result := pushed.push(frame))] + pushed.flush()
    assert [state.frame for state in shown] == list(range(40))
    assert [state.area_px for state in shown] == [result.area_px for result in wanted]
    assert last.status == "ended"
    assert last.dropped == 0
    assert json.loads(json.dumps(last.to_dict()))["width"] == 128
    session.close()


def test_frames_that_come_too_fast_are_dropped_and_counted() -> None:
    session = session_of(Slowly(np.tile(HEART, (5, 1, 1))), roi=Roi(0, 0, 128, 128), flip="none")
    session.start()
    last = session.wait()
    assert last.dropped > 50
    assert last.frame + 1 + last.dropped >= 195
    session.close()


def test_a_lost_camera_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeecho.live.session.RETRY_S", 0.01)
    source = Slowly(HEART, lost_at=5)
    session, states = session_of(source), list[LiveState]()
    session.listen(states.append)
    session.start()
    assert session.wait().status == "ended"
    assert any(state.status == "lost" and "tried again" in state.message for state in states)
    assert source.restarts == 1
    session.close()


def test_the_end_of_a_file_measures_the_open_beat() -> None:
    """Beats are those of the whole cine, as a stream that is flushed has them."""
    heart = draw_heart(np.random.default_rng(1), frames=70)[0]
    roi = Roi(0, 0, 128, 128)
    session = session_of(CineFile(Cine(heart, fps=25), "heart", sleep=lambda _: None), roi=roi, flip="none")
    session.start()
    last = session.wait()
    pushed = predictor(roi=roi, flip="none")
    for frame in heart:
        pushed.push(frame)
    pushed.flush()
    assert pushed.beats
    assert list(last.beats) == [beat.to_dict() for beat in pushed.beats]
    assert last.heart_rate_bpm == (pushed.measured and pushed.measured.heart_rate_bpm)
    assert last.verdict == verdict_of(pushed.findings)
    session.close()


def test_a_file_that_begins_again_is_a_new_cine() -> None:
    """Every pass has each frame once, and ends with its own figures."""
    source = CineFile(Cine(HEART, fps=25), "heart", sleep=lambda _: None)
    session = LiveSession(
        source, predictor(roi=Roi(0, 0, 128, 128), flip="none"), Recording(10, None, opener), loop=True
    )
    frames = list[int]()
    session.listen(lambda state: frames.append(state.frame) if state.status == "live" else None)
    session.start()
    wait_for(lambda: frames.count(39) >= 2)
    session.close()
    passes = [frame for frame, _ in itertools.groupby(frames)]
    assert passes[:42] == [*range(40), -1, 0]
    assert session.state.dropped == 0


def test_no_figure_of_an_earlier_patient_stays() -> None:
    """Also while no frame comes."""
    source = Slowly(HEART, lost_at=30)
    source.restart = lambda: setattr(source, "lost_at", source.given)  # type: ignore[method-assign]  # stays lost
    source.is_waiting = True
    session = session_of(source, roi=Roi(0, 0, 128, 128), flip="none")
    session.start()
    wait_for(lambda: session.state.status == "lost" and session.state.frame >= 0)
    session.reset(new_patient=True)
    wait_for(lambda: session.state.frame == -1)
    assert (session.state.outline, session.state.beats, session.state.ef_percent) == ((), (), None)
    session.close()


def test_a_listener_that_fails_ends_the_session() -> None:
    """As when the program that reads the lines has gone."""
    session = session_of(CineFile(Cine(HEART, fps=25), "heart", sleep=lambda _: None))

    def listener(_: LiveState) -> None:
        raise BrokenPipeError

    session.listen(listener)
    session.start()
    with pytest.raises(BrokenPipeError):
        session.wait()
    session.close()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)


def test_orders_of_a_page(tmp_path: Path) -> None:
    source = CineFile(Cine(HEART, fps=25, spacing_mm=(0.9, 0.8)), "heart")
    session = LiveSession(source, predictor(), Recording(10, (0.9, 0.8), opener), loop=True)
    session.start()
    wait_for(lambda: session.state.frame >= 10)
    obey(session, {"do": "freeze"}, tmp_path)
    wait_for(lambda: session.state.status == "frozen")
    frame = session.state.frame
    time.sleep(0.1)
    assert session.state.frame == frame
    obey(session, {"do": "go"}, tmp_path)
    wait_for(lambda: session.state.status == "live")
    assert obey(session, {"do": "view", "roi": [10, 20, 100, 90], "flip": "lr"}, tmp_path) == "region set"
    wait_for(lambda: session.state.roi == (10, 20, 100, 90) and session.state.flip == "lr")
    said = obey(session, {"do": "save"}, tmp_path)
    result = json.loads(Path(said.removeprefix("saved ")).read_text())
    with np.load(result["input"]) as cine:
        assert cine["frames"].shape[1:] == (128, 128)
        assert result["frames"] == len(cine["frames"])
    assert result["spacing_mm"] == [0.9, 0.8]
    obey(session, {"do": "new_patient"}, tmp_path)
    wait_for(lambda: session.state.roi != (10, 20, 100, 90))
    for order in ({"do": "fly"}, [], {"do": "view", "roi": [1, 2, 3]}, {"do": "view", "roi": [1, 2, 3, 1e9]}, {}):
        with pytest.raises(ConfigError):
            obey(session, order, tmp_path)
    obey(session, {"do": "view", "roi": [4000, 4000, 10, 10]}, tmp_path)  # outside the frame
    wait_for(lambda: "region" in session.state.message)
    session.close()


def test_only_the_newest_frame_waits() -> None:
    newest = Newest()
    for number in range(5):
        newest.put(Frame(np.full((2, 2), number, np.uint8), number))
    taken = newest.take(10)
    assert taken
    assert (taken.pixels[0, 0], newest.dropped) == (4, 4)
    assert newest.take(0.01) is None
    assert not newest.is_closed
    threading.Timer(0.05, newest.close).start()
    assert newest.take(10) is None
    assert newest.is_closed


def test_recordings_forget_what_is_old() -> None:
    recording = Recording(1.0, None, opener)
    for moment in range(50):
        recording.add(np.zeros((4, 4), np.uint8), moment / 10)
    assert 10 <= len(recording._frames) <= 12
    recording.clear()
    with pytest.raises(VideoError, match="no frames to save"):
        recording.save(Path("unused"))


def test_raw_frames_and_their_end() -> None:
    raw = RawFrames(io.BytesIO(bytes(range(256)) * 2 + b"rest"), (16, 16), None)
    assert raw.read()[0].shape == (16, 16)
    raw.read()
    with pytest.raises(VideoError, match="ended within a frame: 4 of 256 bytes"):
        raw.read()
    with pytest.raises(EndOfSourceError):
        RawFrames(io.BytesIO(), (16, 16), None).read()


@pytest.mark.parametrize(
    ("text", "size", "says"),
    [
        ("-", None, "need --size"),
        ("-", (8, 8), "must be from 16x16"),
        ("ftp://127.0.0.1/x", None, "an address begins with"),
        ("http://example.org/stream", None, "only addresses of this machine"),
        ("http://127.0.0.1.example.org/stream", None, "only addresses of this machine"),
    ],
)
def test_sources_that_make_no_sense(text: str, size: tuple[int, int] | None, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        open_source(text, size=size)


def test_sources_that_cannot_be_opened(tmp_path: Path) -> None:
    for text in ("/dev/video99", "97", str(tmp_path / "none.avi"), "http://127.0.0.1:9/stream.mjpg"):
        with pytest.raises(VideoError):
            open_source(text)


def test_an_address_of_this_machine(tmp_path: Path) -> None:
    """Motion JPEG over HTTP, as phones and scanners serve it."""
    import http.server

    class Stream(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for frame in np.tile(HEART, (3, 1, 1)):
                jpeg = cv2.imencode(".jpg", frame)[1].tobytes()
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                self.wfile.write(head + jpeg + b"\r\n")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Stream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    source = open_source(f"http://127.0.0.1:{server.server_port}/stream.mjpg")
    assert source.read()[0].shape == (128, 128, 3)
    source.close()
    server.shutdown()
    server.server_close()
