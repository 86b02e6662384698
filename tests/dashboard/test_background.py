"""Long work of the server's: one at a time, told by events, stopped by anyone, and gone with the server."""

import os
import time

import pytest

from dashboard.background import Background, How
from dashboard.training import Asked, epochs, progress
from quartzlens.errors import QuartzlensError
from tests.dashboard.made_up import Wanted, make_collection

SLOW = ("evaluate", "--progress", "json", "--repeats", "100", "--report", "brief", "-c")


def ended(work):
    """Wait for the end of the process; how it ended."""
    deadline = time.monotonic() + 120
    while work.how is How.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return work.how


def told(work, name):
    """Wait for an event with this key."""
    deadline = time.monotonic() + 120
    while not any(name in event for event in work.events):
        assert time.monotonic() < deadline
        assert work.how in (How.RUNNING, How.DONE), work.complaint
        time.sleep(0.05)


@pytest.fixture
def work():
    """Work that is ended whatever the test did."""
    begun = Background()
    yield begun
    begun.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """24 videos of four categories."""
    return make_collection(tmp_path_factory.mktemp("background") / "-c odd", Wanted(videos=24, channels=8, media=False))


def test_a_command_runs_to_its_end_and_tells_each_step(work, folder):
    """Folds are counted up, and the last event names the run that was kept."""
    assert work.how is How.NOT_BEGUN
    work.start(*Asked("logistic", "none", "", 2, 1, 0, "brief", after=False).words_for(folder))
    assert ended(work) is How.DONE, work.complaint
    told(work, "run")
    assert [event["done"] for event in work.events if "of" in event] == [1, 2]
    assert work.events[-1]["run"].startswith("evaluate-")


def test_one_at_a_time_and_anyone_stops_it(work, folder):
    """A second one is refused in words; a stopped one has kept nothing and makes room for another."""
    work.start(*SLOW, str(folder))
    told(work, "epoch")
    with pytest.raises(QuartzlensError, match="still running"):
        work.start("status", "-c", str(folder))
    work.stop()
    assert work.how is How.STOPPED
    work.stop()
    work.start("runs", "--json", "-c", str(folder))
    assert ended(work) is How.DONE
    assert not any(run.get("settings", {}).get("repeats") == 100 for run in work.events)


def test_what_fails_says_why_in_a_sentence(work, folder):
    """The last complaint is what a person sees, without the name of the program."""
    work.start("evaluate", "--classifier", "nobody", "-c", str(folder))
    assert ended(work) is How.FAILED
    assert work.complaint == "--classifier 'nobody' is not known; there are: original, logistic, knn, linear."


def test_it_ends_with_the_server(work, folder):
    """Closing kills the process, however busy it is."""
    work.start(*SLOW, str(folder))
    told(work, "step")
    pid = work.pid
    work.close()
    assert work.how is not How.RUNNING
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_progress_only_grows_and_a_new_network_begins_a_new_curve():
    """From the first event to the last the share never falls; epochs are those of the network that learns now."""
    events = [{"step": "reading the embeddings"}, {"epoch": 1, "train_loss": 2.0, "valid_loss": None}]
    events += [{"epoch": 2, "train_loss": 1.0, "valid_loss": 1.5}, {"done": 1, "of": 2}, {"done": 2, "of": 2}]
    events += [{"step": name} for name in ("majority", "knn", "logistic", "text", "metrics", "model")]
    events += [{"epoch": 1, "train_loss": 3.0, "valid_loss": 2.5}, {"step": "leaks"}, {"step": "of another version"}]
    shares = [progress(events[: n + 1])[0] for n in range(len(events))]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
    assert progress([]) == (0.0, "Starting")
    far = [{"step": "looking for copies"}, {"step": "looking for copies, 30 % done"}]
    assert progress(far) == (0.0, "Looking for copies of the same sound, 30 % done")
    assert epochs(events)["train_loss"].tolist() == [3.0]
    assert epochs(events[:4])["epoch"].tolist() == [1, 2]
