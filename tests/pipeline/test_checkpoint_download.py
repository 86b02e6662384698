"""Getting a checkpoint: whole, resumed, refused, broken off; never half a file under its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.checkpoint import Published
from pipeline.checkpoint_download import check_sum, get
from quartzlens.errors import CheckpointError
from tests.pipeline.networks import SMALL, config
from tests.pipeline.server import Server, serving
from tests.pipeline.test_checkpoint import nemo_like


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Server]:
    """A host with one checkpoint of about 1 MB."""
    folder = tmp_path / "host"
    folder.mkdir()
    nemo_like(folder / "q.nemo", config(SMALL), bytes(1_000_000))
    with serving(folder) as server:
        yield server


def at(server: Server, path: str = "/files/q.nemo") -> Published:
    """A checkpoint published at this path."""
    return Published("q", server.address + path, "https://example.org/licence")


def test_a_whole_download_is_in_place_with_its_checksum(host: Server, tmp_path: Path) -> None:
    """The file is the host's, byte for byte; progress ends at its size; a second call asks for nothing."""
    heard: list[tuple[int, int | None]] = []
    path = get(at(host), tmp_path / "cache", lambda done, of: heard.append((done, of)))
    original = (host.folder / "q.nemo").read_bytes()
    assert path.read_bytes() == original
    assert heard[-1] == (len(original), len(original))
    assert len(path.with_suffix(".sha256").read_text().strip()) == 64
    get(at(host), tmp_path / "cache")
    assert len(host.asked) == 1


def test_a_broken_download_goes_on_where_it_was(host: Server, tmp_path: Path) -> None:
    """With half of the file there, only the other half is fetched."""
    original = (host.folder / "q.nemo").read_bytes()
    part = tmp_path / "cache" / "q.part"
    part.parent.mkdir()
    part.write_bytes(original[:500_000])
    heard: list[int] = []
    assert get(at(host), part.parent, lambda done, _: heard.append(done)).read_bytes() == original
    assert heard[0] > 500_000
    assert not part.exists()


def test_a_part_longer_than_the_file_begins_again(host: Server, tmp_path: Path) -> None:
    """Leftovers of another file do not stop a download for ever."""
    original = (host.folder / "q.nemo").read_bytes()
    part = tmp_path / "cache" / "q.part"
    part.parent.mkdir()
    part.write_bytes(original + b"more")
    assert get(at(host), part.parent).read_bytes() == original


@pytest.mark.parametrize("path", ["/status/404", "/status/500"])
def test_a_refusal_names_the_address_and_the_page(host: Server, tmp_path: Path, path: str) -> None:
    """What the host answered is told, with the page where a person can look."""
    with pytest.raises(CheckpointError, match=r"answers (404|500).*example\.org/licence"):
        get(at(host, path), tmp_path / "cache")
    assert not (tmp_path / "cache" / "q.nemo").exists()


def test_a_web_page_in_place_of_the_file_is_no_checkpoint(host: Server, tmp_path: Path) -> None:
    """An HTML page with status 200 is refused and leaves nothing behind."""
    with pytest.raises(CheckpointError, match="no checkpoint"):
        get(at(host, "/page"), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_changed_file_is_noticed(host: Server, tmp_path: Path) -> None:
    """A checkpoint that differs from its recorded checksum is named and not used."""
    path = get(at(host), tmp_path / "cache")
    with path.open("r+b") as stream:
        stream.write(b"changed")
    with pytest.raises(CheckpointError, match="get it again"):
        check_sum(path)


def test_no_host_at_all_says_how_to_go_on(tmp_path: Path) -> None:
    """A refused connection is one sentence with what to do."""
    nowhere = Published("q", "http://127.0.0.1:9/q.nemo", "https://example.org/licence")
    with pytest.raises(CheckpointError, match="again to go on"):
        get(nowhere, tmp_path / "cache")
