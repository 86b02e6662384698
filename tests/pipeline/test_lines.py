"""Text files of links, and what comes on standard input: a source a line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.identity import damaged, youtube_link
from pipeline.sources import Playlist, SourceList, read_source, read_standard_input
from quartzlens.errors import UsageError

LINK = youtube_link("dQw4w9WgXcQ")


def lines_in(folder: Path, text: str, name: str = "links.txt") -> SourceList:
    """What a text file says."""
    (folder / name).write_bytes(text.encode())
    return read_source(str(folder / name))


def test_a_line_is_a_link_an_id_or_a_path(tmp_path: Path) -> None:
    """Comments and empty lines are none, blanks around a line do not matter, and rows have the numbers of lines."""
    (tmp_path / "rain.wav").touch()
    text = (
        "\ufeff# mine\r\n\r\n  youtu.be/dQw4w9WgXcQ\t\r\n-wtIMTCHWuI\r\n \t\r\nrain.wav\r\n#x\r\ngone.mp4\r\nhttp://a/b"
    )
    one = lines_in(tmp_path, text)
    assert [(row.number, row.source) for row in one.rows] == [
        (3, LINK),
        (4, youtube_link("-wtIMTCHWuI")),
        (6, str(tmp_path / "rain.wav")),
        (8, str(tmp_path / "gone.mp4")),
        (9, "http://a/b"),
    ]
    assert [(row.title, row.label) for row in one.rows[1:3]] == [("", None), ("rain", None)]
    assert (one.name, one.bad_rows, one.playlists) == (str(tmp_path / "links.txt"), (), ())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_ends_a_line(tmp_path: Path, end: str) -> None:
    """Files of all systems have the same rows."""
    one = lines_in(tmp_path, f"{LINK}{end}{end}-wtIMTCHWuI{end}")
    assert [(row.number, row.video_id) for row in one.rows] == [(1, "dQw4w9WgXcQ"), (3, "-wtIMTCHWuI")]


def test_what_is_nothing_is_a_bad_row_with_its_line(tmp_path: Path) -> None:
    """A short id is a damaged link as in a CSV; prose, and what cannot be written down, is told."""
    one = lines_in(tmp_path, "# ids\nJLZlCZ0\nthis is no link at all\nhttp://a/\0b\n")
    assert [(row.number, row.video_id, damaged(row.source) is not None) for row in one.rows] == [(2, "JLZlCZ0", True)]
    assert [(bad.number, bad.problem) for bad in one.bad_rows] == [
        (3, "line 'this is no link at all' is no link, no YouTube id and no file"),
        (4, "a NUL character in 'http://a/?b'"),
    ]


def test_a_folder_in_a_list_is_told_what_it_is(tmp_path: Path) -> None:
    """It is a bad row, in lines and tables, unless its name is a whole YouTube id or a link."""
    for name in ("videos2", "sounds.mp4", "dQw4w9WgXcQ", "youtube.com/@me"):
        (tmp_path / name).mkdir(parents=True)
    names = ["videos2", "./videos2", "sounds.mp4", str(tmp_path), "."]
    for one in (
        lines_in(tmp_path, "\n".join([*names, "dQw4w9WgXcQ", "youtube.com/@me"])),
        lines_in(tmp_path, "\n".join(["link", *names, "dQw4w9WgXcQ", "youtube.com/@me"]), "list.csv"),
    ):
        assert [row.source for row in one.rows] == [LINK]
        assert [each.link for each in one.playlists] == ["https://www.youtube.com/@me"]
        assert [bad.problem.partition(" ")[2] for bad in one.bad_rows] == [
            f"{name!r} is a folder: name it on the command line" for name in names
        ]


@pytest.mark.parametrize("header", ["link", "Title;URL", "path\tlabel", '"a\nb",link'])
def test_a_text_file_with_a_header_is_a_table(tmp_path: Path, header: str) -> None:
    """The first row alone decides, in whatever delimiter; its columns are used as in a CSV."""
    cells = {"link": LINK, "Title;URL": f"T;{LINK}", "path\tlabel": "a.wav\tfood"}.get(header, f"T,{LINK}")
    one = lines_in(tmp_path, f"{header}\n{cells}\n")
    assert [(row.number, row.source) for row in one.rows] in ([(1, LINK)], [(1, str(tmp_path / "a.wav"))])
    assert one.rows[0].label == ("food" if "label" in header else None)


def test_only_text_files_go_without_a_header(tmp_path: Path) -> None:
    """A CSV without one is told so, as is a text file with nothing in it."""
    with pytest.raises(UsageError, match="no column 'path'"):
        lines_in(tmp_path, f"{LINK}\n", "links.csv")
    with pytest.raises(UsageError, match="is empty"):
        lines_in(tmp_path, " \n\n")
    with pytest.raises(UsageError, match="comments but no links"):
        lines_in(tmp_path, "# nothing\n\n")
    with pytest.raises(UsageError, match="UTF-16"):
        lines_in(tmp_path, "h\0t\0t\0p\0")


def test_playlists_are_no_rows(tmp_path: Path) -> None:
    """In lines and in the link cells of a CSV, with what the row says of their videos; a video in one is a video."""
    playlist, channel = "https://www.youtube.com/playlist?list=PLabc", "https://www.youtube.com/@me/videos"
    one = lines_in(tmp_path, f"{LINK}&list=PLabc\nyoutube.com/@me/videos\n{playlist}&index=2\n")
    assert [row.number for row in one.rows] == [1]
    assert one.playlists == (Playlist(channel, 2, source_list=one.name), Playlist(playlist, 3, source_list=one.name))
    table = lines_in(tmp_path, f"link,category,channel\n{LINK},food,A\n{channel},travel,B\n,,\n", "list.csv")
    assert [row.number for row in table.rows] == [1]
    assert table.playlists == (Playlist(channel, 2, "travel", "B", source_list=table.name),)
    assert [bad.number for bad in table.bad_rows] == [3]
    alone = read_source(f" {playlist} ")
    assert (alone.name, alone.rows, alone.playlists) == (playlist, (), (Playlist(playlist),))
    assert [each.link for each in lines_in(tmp_path, channel).playlists] == [channel]
    (only,) = lines_in(tmp_path, f"link\n{channel}", "only.csv").playlists
    assert (only.link, only.source_list) == (channel, str(tmp_path / "only.csv"))


def test_standard_input_is_lines_or_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told apart as a text file is; relative paths count from the current folder."""
    monkeypatch.chdir(tmp_path)
    lines = read_standard_input(f"{LINK}\na.wav\n".encode())
    assert [row.source for row in lines.rows] == [LINK, str(tmp_path / "a.wav")]
    table = read_standard_input(b"path,genre\na.wav,jazz\n", "genre")
    assert [(row.source, row.label) for row in table.rows] == [(str(tmp_path / "a.wav"), "jazz")]
    assert read_standard_input(b"\xef\xbb\xbf" + LINK.encode()).rows[0].source == LINK


def test_other_content_of_standard_input_is_another_list() -> None:
    """The same content has the same name, so that it does nothing twice and takes nothing away."""
    one, same, other = (read_standard_input(text.encode()) for text in (LINK, LINK, "-wtIMTCHWuI"))
    assert one == same
    assert one.name != other.name
    assert one.name.startswith("standard input ")
    assert [row.source_list for row in one.rows] == [one.name]


@pytest.mark.parametrize(("raw", "words"), [(b"", "is empty: write"), (b" \n\r\n", "is empty"), (b"\xff", "UTF-8")])
def test_nothing_on_standard_input_is_wrong_usage(raw: bytes, words: str) -> None:
    """With what can be done."""
    with pytest.raises(UsageError, match=words):
        read_standard_input(raw)


LINES = st.one_of(
    st.text(),
    st.sampled_from([LINK, "dQw4w9WgXcQ", "# no", " ", "JLZlCZ0", "a.wav", "youtube.com/@me", "no link here", "\0"]),
)


@given(st.lists(LINES.filter(lambda line: not {"\n", "\r"} & set(line)), max_size=8))
def test_every_line_is_accounted_for_in_its_order(lines: list[str]) -> None:
    """Whatever is written, each line that is neither empty nor a comment is a row, a bad row or a playlist, once."""
    meant = [n for n, line in enumerate(lines, 2) if line.strip() and not line.strip().startswith("#")]
    one = read_standard_input("\n".join([LINK + "?x", *lines]).encode())
    kinds = [[each.number for each in some] for some in (one.rows, one.bad_rows, one.playlists)]
    assert all(numbers == sorted(numbers) for numbers in kinds)
    assert sorted(number for numbers in kinds for number in numbers) == [1, *meant]
