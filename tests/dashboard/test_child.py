"""The warm encoder child, with a small stand-in process that speaks its protocol."""

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dashboard.child import EncoderChild, upload_as_file
from quartzlens.errors import QuartzlensError

KEY = "0123456789abcdef"
STAND_IN = """
import base64, json, os, struct, sys
key = open(sys.argv[1]).read()  # chosen once, as the real one chooses its collection's encoder
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    print(os.getpid(), file=open(sys.argv[1] + ".log", "a"))
    if asked.get("link") == "die":
        print("the last words", file=sys.stderr, flush=True)
        os._exit(3)
    if asked.get("link") == "babble":
        print("not json", flush=True)
        continue
    if asked.get("link") == "sleep":
        import time
        time.sleep(600)
    if "path" not in asked:
        said = {"outcome": "unsupported_link", "stage": "download", "detail": "no such site"}
        print(json.dumps({"fingerprint": key, **said}), flush=True)
        continue
    content = open(asked["path"], "rb").read()
    packed = base64.b64encode(struct.pack("<2f", len(content), 0.5)).decode()
    said = {"outcome": "ok", "embedding": packed, "title": str(os.getpid())}
    print(json.dumps({"fingerprint": key, **said}), flush=True)
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[EncoderChild]:
    """A child that answers with the length of the file."""
    (tmp_path / "key").write_text(KEY)
    made = EncoderChild(tmp_path, [sys.executable, "-c", STAND_IN, str(tmp_path / "key")])
    yield made
    made.close()


def test_a_file_gives_an_embedding(child: EncoderChild, tmp_path: Path) -> None:
    """A request is answered with the embedding as float32, by one process that stays."""
    (tmp_path / "a").write_bytes(b"12345")
    answers = [child.ask({"path": str(tmp_path / "a")}, KEY) for _ in range(2)]
    assert answers[0].embedding is not None
    assert answers[0].embedding.dtype == np.float32
    assert answers[0].embedding.tolist() == [5.0, 0.5]
    assert answers[0].title == answers[1].title


def test_a_bad_link_gives_its_outcome(child: EncoderChild) -> None:
    """What cannot be embedded comes back as its outcome and detail, without an embedding."""
    answer = child.ask({"link": "http://127.0.0.1/x"}, KEY)
    assert (answer.outcome, answer.detail, answer.embedding) == ("unsupported_link", "no such site", None)


@pytest.mark.parametrize("request_", ["die", "babble"])
def test_a_child_that_dies_is_started_again_and_told(child: EncoderChild, tmp_path: Path, request_: str) -> None:
    """Whoever's request killed the encoder is told so, and the next request is answered by a new one."""
    (tmp_path / "a").write_bytes(b"1")
    before = child.ask({"path": str(tmp_path / "a")}, KEY).title
    with pytest.raises(QuartzlensError, match="started again"):
        child.ask({"link": request_}, KEY)
    after = child.ask({"path": str(tmp_path / "a")}, KEY).title
    assert after not in ("", before)


def test_the_last_words_of_a_child_are_passed_on(child: EncoderChild) -> None:
    """The message holds the last line that the dying encoder wrote."""
    with pytest.raises(QuartzlensError, match="the last words"):
        child.ask({"link": "die"}, KEY)


def test_a_child_killed_between_requests_is_replaced(child: EncoderChild, tmp_path: Path) -> None:
    """An encoder that was killed while nobody asked is replaced without anybody noticing."""
    (tmp_path / "a").write_bytes(b"1")
    child.ask({"path": str(tmp_path / "a")}, KEY)
    process = child._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert child.ask({"path": str(tmp_path / "a")}, KEY).outcome == "ok"


def test_another_encoder_is_another_child(child: EncoderChild, tmp_path: Path) -> None:
    """Once the collection has another encoder, the child of the old one is ended unasked, and a new one answers."""
    (tmp_path / "a").write_bytes(b"1")
    before = child.ask({"path": str(tmp_path / "a")}, KEY).title
    (tmp_path / "key").write_text("another")
    after = child.ask({"path": str(tmp_path / "a")}, "another")
    assert (tmp_path / "key.log").read_text().split() == [before, after.title]
    assert before != after.title
    with pytest.raises(ProcessLookupError):
        os.kill(int(before), 0)


def test_a_child_that_began_too_early_is_started_again(child: EncoderChild, tmp_path: Path) -> None:
    """A child that read the choice just before it changed answers by the old encoder: its answer is never given."""
    (tmp_path / "a").write_bytes(b"1")
    child._start("another")  # which is not in the file yet
    early = child.pid
    (tmp_path / "key").write_text("another")
    answer = child.ask({"path": str(tmp_path / "a")}, "another")
    assert answer.outcome == "ok"
    assert child.pid not in (None, early)


def test_an_answer_by_another_encoder_is_refused(child: EncoderChild, tmp_path: Path) -> None:
    """A child that stays with another encoder than the one asked for is an error in words, never an answer."""
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(QuartzlensError, match="not the one that the collection is embedded by"):
        child.ask({"path": str(tmp_path / "a")}, "another")
    assert child.pid is None


def test_a_silent_child_is_given_up(child: EncoderChild) -> None:
    """An encoder that does not answer in time is ended, and the person is told."""
    with pytest.raises(QuartzlensError, match="took longer than 1 s"):
        child.ask({"link": "sleep"}, KEY, timeout_seconds=1.0)


def test_a_child_that_never_gets_ready(tmp_path: Path) -> None:
    """An encoder that cannot start says what it complained about and which command tells more."""
    broken = EncoderChild(tmp_path, [sys.executable, "-c", "import sys; sys.exit('no checkpoint here')"])
    with pytest.raises(QuartzlensError, match=r"no checkpoint here.*quartzlens doctor"):
        broken.ask({"link": "x"}, KEY)
    assert broken.pid is None


def test_the_working_directory_is_not_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A click.py that lies where the dashboard was started is not run by the encoder."""
    (tmp_path / "click.py").write_text("import pathlib; pathlib.Path('was-here').touch(); raise SystemExit('poisoned')")
    monkeypatch.chdir(tmp_path)
    child = EncoderChild(tmp_path / "no-collection")
    with pytest.raises(QuartzlensError, match="before it was ready") as caught:
        child.ask({"link": "x"}, KEY)
    assert "poisoned" not in str(caught.value)
    assert not (tmp_path / "was-here").exists()


def test_closing_ends_the_process(child: EncoderChild, tmp_path: Path) -> None:
    """Nothing is left running after close."""
    (tmp_path / "a").write_bytes(b"1")
    pid = int(child.ask({"path": str(tmp_path / "a")}, KEY).title)
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_several_browsers_ask_at_once(child: EncoderChild, tmp_path: Path) -> None:
    """Requests of several browsers are answered each with its own answer."""
    sizes = list(range(1, 9))
    for size in sizes:
        (tmp_path / str(size)).write_bytes(b"x" * size)
    got: dict[int, float] = {}

    def ask(size: int) -> None:
        embedding = child.ask({"path": str(tmp_path / str(size))}, KEY).embedding
        got[size] = float(embedding[0]) if embedding is not None else -1.0

    threads = [threading.Thread(target=ask, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {size: float(size) for size in sizes}


def test_who_waits_for_its_turn_can_give_up(child: EncoderChild, tmp_path: Path) -> None:
    """While another's request is answered, who waits is asked again and again; who gives up is not listened to."""
    (tmp_path / "a").write_bytes(b"1")
    looks: list[int] = []

    def waits() -> None:
        """Give up at the third look."""
        looks.append(len(looks))
        if len(looks) == 3:
            raise KeyboardInterrupt

    with child._lock, pytest.raises(KeyboardInterrupt):
        child.ask({"path": str(tmp_path / "a")}, KEY, waits=waits)
    assert child.pid is None
    assert child.ask({"path": str(tmp_path / "a")}, KEY, waits=waits).outcome == "ok"


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.MP3", ".mp3"),
        ("../../etc/passwd", ""),
        ("x.ogg\n/../y.sh; rm", ""),
        ("no ending", ""),
        ("a.<img>", ""),
        (".m4a", ".m4a"),
    ],
)
def test_an_upload_is_a_temporary_file(name: str, ending: str) -> None:
    """Uploaded bytes lie in the system's temporary folder under a name of ours, and are gone afterwards."""
    with upload_as_file(name, b"bytes") as path:
        assert path.read_bytes() == b"bytes"
        assert path.name == f"upload{ending}"
        assert Path(tempfile.gettempdir()) in path.parents
    assert not path.parent.exists()
