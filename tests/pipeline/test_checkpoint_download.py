"""Getting a checkpoint: whole, resumed, refused, broken off; never half a file under its name."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import checkpoint_download
from pipeline.checkpoint_download import check_sum, get
from pipeline.published import Published
from quartzlens.errors import CheckpointError
from tests.pipeline.networks import SMALL, config, nemo_like, torch_file
from tests.pipeline.server import Server, serving

FORMS = ("nemo", "nemo in a zip", "pt in a zip")
PAGE = "https://example.org/licence"


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the host publishes by the name of the file: checkpoints of about 1 MB."""
    import torch

    many = {"x": torch.rand(250_000)}
    nemo = nemo_like(tmp_path_factory.mktemp("made") / "q.nemo", config(SMALL), torch_file(many)).read_bytes()
    example = torch_file({"ema_state_dict": many})
    return {
        "q.nemo": nemo,
        "q.pt": example,
        "q.nemo.zip": zipped({"readme.txt": b"hello", "folder/q.nemo": nemo, "../evil": b"x"}),
        "q.pt.zip": zipped({"q.pt": example}),
    }


@pytest.fixture
def host(tmp_path: Path, contents: dict[str, bytes]) -> Iterator[Server]:
    """A host with each of them."""
    folder = tmp_path / "host"
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    with serving(folder) as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where downloads go."""
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def at(server: Server, form: str = "nemo", way: str = "files") -> Published:
    """A checkpoint in this form, below this way of the host to fail; in a zip where the file itself answers 404."""
    file, zip_path = ("q.pt", None) if form == "pt in a zip" else ("q.nemo", f"/{way}/q.nemo")
    zip_address = f"{server.address}/{way}/{file}.zip"
    if form == "nemo in a zip":
        zip_path = "/status/404"
    return Published("q", PAGE, file, server.address + zip_path if zip_path else None, zip_address, "en")


def part_of(form: str) -> str:
    """Name of the file that waits to be gone on with."""
    return "q.part" if form == "nemo" else "q.part.zip"


def sent_of(form: str) -> str:
    """Name of the file on the host."""
    return {"nemo": "q.nemo", "nemo in a zip": "q.nemo.zip", "pt in a zip": "q.pt.zip"}[form]


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_download_is_in_place_with_its_checksum(
    host: Server, cache: Path, contents: dict[str, bytes], form: str
) -> None:
    """The file is the host's, byte for byte, with nothing beside it; a second call asks for nothing."""
    heard: list[tuple[int, int | None]] = []
    published = at(host, form)
    path = get(published, cache, lambda done, of: heard.append((done, of)))
    assert path.read_bytes() == contents[published.file]
    size = len(contents[sent_of(form)])
    assert heard[-1] == (size, size)
    assert sorted(one.name for one in cache.iterdir()) == sorted([published.file, "q.sha256"])
    assert check_sum(path) == (cache / "q.sha256").read_text().strip()
    asked = len(host.asked)
    get(published, cache)
    assert len(host.asked) == asked
    assert not (cache.parent / "evil").exists()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kept", [0.5, 1.0])
def test_a_broken_download_goes_on_where_it_was(
    host: Server, cache: Path, contents: dict[str, bytes], form: str, kept: float
) -> None:
    """With half of it there only the other half is fetched, and with all of it there nothing that was there already."""
    sent = contents[sent_of(form)]
    (cache / part_of(form)).write_bytes(sent[: int(len(sent) * kept)])
    heard: list[int] = []
    path = get(at(host, form), cache, lambda done, _: heard.append(done))
    assert path.read_bytes() == contents[path.name]
    assert all(done > len(sent) // 2 for done in heard)
    assert not (cache / part_of(form)).exists()


@pytest.mark.parametrize("form", FORMS)
def test_a_host_without_ranges_begins_again(host: Server, cache: Path, contents: dict[str, bytes], form: str) -> None:
    """Where the whole file comes in answer to a part of it, the whole file is what is kept."""
    (cache / part_of(form)).write_bytes(contents[sent_of(form)][:500_000] + b"x" * 2_000_000)
    path = get(at(host, form, "whole"), cache)
    assert path.read_bytes() == contents[path.name]


@pytest.mark.parametrize("form", FORMS)
def test_a_part_longer_than_the_file_begins_again(
    host: Server, cache: Path, contents: dict[str, bytes], form: str
) -> None:
    """Leftovers of another file do not stop a download for ever."""
    (cache / part_of(form)).write_bytes(contents[sent_of(form)] + b"more")
    path = get(at(host, form), cache)
    assert path.read_bytes() == contents[path.name]


@pytest.mark.parametrize("form", FORMS)
def test_a_download_that_breaks_off_can_be_gone_on_with(
    host: Server, cache: Path, contents: dict[str, bytes], form: str
) -> None:
    """Fewer bytes than stated: said so, half is kept as a part, and the next call brings the rest."""
    with pytest.raises(CheckpointError, match=r"of \d+ bytes arrived.*again to go on"):
        get(at(host, form, "short"), cache)
    assert [one.name for one in cache.iterdir()] == [part_of(form)]
    path = get(at(host, form), cache)
    assert path.read_bytes() == contents[path.name]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", ["unstated", "less"])
def test_a_cut_file_is_no_checkpoint(host: Server, cache: Path, form: str, way: str) -> None:
    """Half a file that claims to be whole is found out by its own sums, and nothing of it stays."""
    with pytest.raises(CheckpointError, match=r"sent something that is no checkpoint.*example\.org/licence"):
        get(at(host, form, way), cache)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_web_page_in_place_of_the_file_is_no_checkpoint(host: Server, cache: Path, form: str) -> None:
    """An HTML page with status 200 is refused, leaves nothing, and does not touch what was fetched before."""
    with pytest.raises(CheckpointError, match=r"a web page came.*example\.org/licence"):
        get(at(host, form, "webpage"), cache)
    assert list(cache.iterdir()) == []
    (cache / part_of(form)).write_bytes(b"half")
    with pytest.raises(CheckpointError, match="a web page came"):
        get(at(host, form, "webpage"), cache)
    assert (cache / part_of(form)).read_bytes() == b"half"


@pytest.mark.parametrize("form", FORMS)
def test_a_web_page_that_calls_itself_a_file_is_none_either(host: Server, cache: Path, form: str) -> None:
    """A page of HTML sent as a file of bytes is told by its content."""
    (host.folder / sent_of(form)).write_bytes(b"<html>" + b"Log in to your network. " * 100)
    with pytest.raises(CheckpointError, match="sent something that is no checkpoint"):
        get(at(host, form), cache)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_names_the_address_and_the_page(host: Server, cache: Path, form: str, status: int) -> None:
    """What the host answered is told, with the page where a person can look."""
    with pytest.raises(CheckpointError, match=rf"answers {status}.*example\.org/licence"):
        get(at(host, form, f"status/{status}"), cache)
    assert list(cache.iterdir()) == []


def test_only_a_file_that_is_not_there_is_looked_for_in_a_zip(host: Server, cache: Path) -> None:
    """404 leads to the zip form; a host in trouble is not asked for more."""
    get(at(host, "nemo in a zip"), cache)
    assert host.asked == ["/status/404", "/files/q.nemo.zip"]
    host.asked.clear()
    with pytest.raises(CheckpointError, match="answers 500"):
        get(at(host, "nemo", "status/500"), cache / "new")
    assert host.asked == ["/status/500/q.nemo"]


def redirected(published: Published, to: str) -> Published:
    """The same, at an address that sends on to another."""

    def through(address: str | None) -> str | None:
        host = str(address or published.zip_address).split("/files/", maxsplit=1)[0]
        return address and f"{host}/redirect?to={to or address}"

    return Published("q", PAGE, published.file, through(published.address), through(published.zip_address), "en")


@pytest.mark.parametrize("form", ["nemo", "pt in a zip"])
def test_a_redirection_is_followed(host: Server, cache: Path, contents: dict[str, bytes], form: str) -> None:
    """NVIDIA's addresses lead to a storage host; a resumed download is resumed there."""
    (cache / part_of(form)).write_bytes(contents[sent_of(form)][:500_000])
    path = get(redirected(at(host, form), ""), cache)
    assert path.read_bytes() == contents[path.name]


@pytest.mark.parametrize("form", ["nemo", "pt in a zip"])
@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/q", "data:,x", "FILE:/etc/passwd", "gopher://x/"]
)
def test_a_redirection_out_of_the_web_is_refused(host: Server, cache: Path, form: str, to: str) -> None:
    """An address of another kind is named and not followed."""
    with pytest.raises(CheckpointError, match=r"redirects to.*refused|redirection error|not allowed"):
        get(redirected(at(host, form), to), cache)
    assert list(cache.iterdir()) == []


def test_a_protected_connection_is_never_left() -> None:
    """A redirection from https to http is refused before anything is asked there."""
    import urllib.request

    from pipeline.transfer import _SafeRedirects

    asked: Any = urllib.request.Request("https://example.org/q.nemo")
    nothing: Any = None
    with pytest.raises(OSError, match="refused"):
        _SafeRedirects().redirect_request(asked, nothing, 302, "", nothing, "http://example.org/q.nemo")


@pytest.mark.parametrize("form", FORMS)
def test_a_host_that_never_ends_is_stopped(
    host: Server, cache: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After more bytes than a checkpoint can have, the connection is closed and nothing is kept."""
    monkeypatch.setattr(checkpoint_download, "LARGEST_BYTES", 3_000_000)
    with pytest.raises(CheckpointError, match="more than 3000000 bytes"):
        get(at(host, form, "endless"), cache)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_stated_length_over_the_limit_is_not_fetched(
    host: Server, cache: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that announces too much is believed."""
    monkeypatch.setattr(checkpoint_download, "LARGEST_BYTES", 1000)
    with pytest.raises(CheckpointError, match=r"claims \d+ bytes, over the limit of 1000"):
        get(at(host, form), cache)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_file_is_noticed(host: Server, cache: Path, form: str) -> None:
    """A checkpoint that differs from its recorded checksum is named and not used."""
    path = get(at(host, form), cache)
    with path.open("r+b") as stream:
        stream.write(b"changed")
    with pytest.raises(CheckpointError, match="get it again"):
        get(at(host, form), cache)


@pytest.mark.parametrize("form", FORMS)
def test_another_file_than_the_first_is_not_accepted(host: Server, cache: Path, form: str) -> None:
    """A checkpoint got anew must be the one whose checksum was recorded; nothing takes its place."""
    path = get(at(host, form), cache)
    path.unlink()
    (cache / "q.sha256").write_text("0" * 64 + "\n")
    with pytest.raises(CheckpointError, match=r"recorded was 0{64}.*Delete .*q\.sha256"):
        get(at(host, form), cache)
    assert [one.name for one in cache.iterdir()] == ["q.sha256"]


BAD_ZIPS = {
    "none": (zipped({"other.nemo": b"x"}), "0 files named q.pt; it holds 'other.nemo'"),
    "two": (zipped({"a/q.pt": b"x", "b/q.pt": b"y"}), "2 files named q.pt"),
    "empty": (zipped({}), "0 files named q.pt"),
    "bomb": (zipped({"q.pt": bytes(4_000_000)}), "over the limit of 3000000"),
    "no checkpoint": (zipped({"q.pt": b"<html></html>"}), "no checkpoint"),
    "broken": (zipped({"q.pt": bytes(range(256)) * 9}, zipfile.ZIP_STORED).replace(b"\x10\x11", b"\x11\x10", 1), "CRC"),
    "lying": (zipped({"q.pt": bytes(2_000_000)}).replace((2_000_000).to_bytes(4, "little"), b"\x10\0\0\0"), "CRC"),
}


@pytest.mark.parametrize("name", BAD_ZIPS)
def test_only_an_honest_zip_with_the_one_file_is_unpacked(
    host: Server, cache: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip without the file, with two, with a bomb, or with wrong sums: said so, and nothing of it stays."""
    content, message = BAD_ZIPS[name]
    monkeypatch.setattr(checkpoint_download, "LARGEST_BYTES", 3_000_000)
    (host.folder / "q.pt.zip").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        get(at(host, "pt in a zip"), cache)
    assert list(cache.iterdir()) == []


def test_no_host_at_all_says_how_to_go_on(cache: Path) -> None:
    """A refused connection is one sentence with what to do."""
    nowhere = Published("q", PAGE, "q.nemo", "http://127.0.0.1:9/q.nemo", None, "en")
    with pytest.raises(CheckpointError, match="again to go on"):
        get(nowhere, cache)
