"""Lists, folders, files and links become rows."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources import SourceList, damaged, is_link, read_source
from quartzlens.errors import UsageError


def list_of(folder: Path, text: str, name: str = "list.csv", **options: str) -> SourceList:
    """The rows of a list with this text."""
    (folder / name).write_bytes(text.encode())
    return read_source(str(folder / name), **options)


def test_a_list_in_the_shape_of_the_youtube_list(tmp_path: Path) -> None:
    """Bare ids become links, the channel is the first line of the description, the category is the label."""
    one = list_of(
        tmp_path,
        'link,title,description,category\n-wtIMTCHWuI,"A, b","Chan one\n2M subscribers",travel\nJLZlCZ0,T,,food\n',
    )
    assert [row.source for row in one.rows] == [
        "https://www.youtube.com/watch?v=-wtIMTCHWuI",
        "https://www.youtube.com/watch?v=JLZlCZ0",
    ]
    assert [(row.video_id, row.channel, row.label) for row in one.rows] == [
        ("-wtIMTCHWuI", "Chan one", "travel"),
        ("JLZlCZ0", None, "food"),
    ]
    assert [damaged(row.source) is not None for row in one.rows] == [False, True]
    assert one.rows[0].title == "A, b"
    assert one.name == str(tmp_path / "list.csv")


def test_paths_are_relative_to_the_lists_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list works from any working directory, with relative, absolute and upward paths."""
    monkeypatch.chdir("/")
    one = list_of(tmp_path, "path,label\na b.wav,x\n/media/c.wav,y\n../d.wav,\n")
    assert [row.source for row in one.rows] == [
        str(tmp_path / "a b.wav"),
        "/media/c.wav",
        str(tmp_path.parent / "d.wav"),
    ]
    assert [row.label for row in one.rows] == ["x", "y", None]
    assert [row.title for row in one.rows] == ["a b", "c", "d"]


def test_extra_columns_are_kept_as_text(tmp_path: Path) -> None:
    """Columns that mean nothing to us stay with the row, for folds of one's own and for notes."""
    one = list_of(tmp_path, "path,label,fold,source_id, Note \na.wav,x,1,100032,=1+1\n")
    assert dict(one.rows[0].extra) == {"fold": "1", "source_id": "100032", "note": "=1+1"}
    assert one.rows[0].channel == "100032"


@pytest.mark.parametrize(
    ("header", "channel"),
    [
        ("channel,group,source_id", "c"),
        ("group,source_id", "g"),
        ("source_id", "s"),
        ("description", "d"),
        ("other", None),
    ],
)
def test_the_channel_comes_from_the_first_column_that_can_tell(
    tmp_path: Path, header: str, channel: str | None
) -> None:
    """channel, else group, else source_id, else the first line of the description."""
    values = ",".join(name[0] for name in header.split(","))
    assert list_of(tmp_path, f"path,{header}\na.wav,{values}\n").rows[0].channel == channel


def test_an_empty_channel_is_that_of_the_description(tmp_path: Path) -> None:
    """An empty cell of a column group or source_id says that the video is in no group with others."""
    for column, channel in (("channel", "D"), ("group", None), ("source_id", None)):
        one = list_of(tmp_path, f'path,{column},description\na.wav,C,D\nb.wav, ,"\n D \nE"\nc.wav,,\n')
        assert [row.channel for row in one.rows] == ["C", channel, None]


def test_the_label_column_can_be_chosen(tmp_path: Path) -> None:
    """--label-column wins over category, which wins over label; one that is not there is a wrong usage."""
    text = "path,label,category,genre\na.wav,l,c,g\n"
    assert list_of(tmp_path, text).rows[0].label == "c"
    assert list_of(tmp_path, text, label_column="Genre").rows[0].label == "g"
    assert dict(list_of(tmp_path, text, label_column="genre").rows[0].extra) == {"label": "l", "category": "c"}
    with pytest.raises(UsageError, match=r"no column 'topic'.*'path', 'label', 'category', 'genre'"):
        list_of(tmp_path, text, label_column="topic")


def test_a_bad_row_is_told_by_its_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Every row is a video or a bad row with what is wrong; blank lines are neither."""
    one = list_of(tmp_path, "path,label\na.wav,x\n,y\n\nb.wav\nc.wav,x,y\nd\0.wav,x\ne.wav,x\n")
    assert [row.number for row in one.rows] == [1, 6]
    assert [(bad.number, bad.problem) for bad in one.bad_rows] == [
        (2, "no path and no link: path is empty"),
        (3, "1 columns where the header has 2"),
        (4, "3 columns where the header has 2"),
        (5, "a NUL character in 'd?.wav'"),
    ]


def test_a_quote_that_never_closes_is_suspected(tmp_path: Path) -> None:
    """The row that swallowed the rest of the list says over which lines."""
    one = list_of(tmp_path, 'path,label\na.wav,x\n"b.wav,x\nc.wav,x\n')
    assert [bad.problem for bad in one.bad_rows] == [
        "1 columns where the header has 2 (it spans the lines 3 to 4: is a quote not closed?)"
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    """Spreadsheets write semicolons and tabs; a byte-order mark and Windows line ends do not matter."""
    text = (
        "\ufeff"
        + "\r\n".join(delimiter.join(row) for row in (("path", "label", "note"), ("a.wav", "x", '"1;2,3"')))
        + "\r\n"
    )
    row = list_of(tmp_path, text).rows[0]
    assert (Path(row.source).name, row.label, row.extra["note"]) == ("a.wav", "x", "1;2,3")


def test_a_huge_field_is_no_obstacle(tmp_path: Path) -> None:
    """A description longer than the csv module's own limit is read."""
    row = list_of(tmp_path, f"path,description\na.wav,{'x' * 200_000}\n").rows[0]
    assert len(row.description) == 200_000


def test_a_list_in_another_encoding_is_refused_with_the_byte(tmp_path: Path) -> None:
    """Latin-1 and UTF-16 are not guessed at: the message names the first byte that cannot be."""
    (tmp_path / "latin.csv").write_bytes("path,label\ncafé.wav,x\n".encode("latin-1"))
    with pytest.raises(UsageError, match="byte 14 is 0xe9"):
        read_source(str(tmp_path / "latin.csv"))
    (tmp_path / "wide.csv").write_bytes("path,label\n".encode("utf-16-le"))
    with pytest.raises(UsageError, match="byte 1 is 0x00"):
        read_source(str(tmp_path / "wide.csv"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("path,label\n", "no rows"),
        ("name,label\na,b\n", "no column 'path', 'link' or 'url'"),
    ],
)
def test_a_list_without_anything_to_do_is_a_wrong_usage(tmp_path: Path, text: str, words: str) -> None:
    """Nothing to ingest is said before anything starts."""
    with pytest.raises(UsageError, match=words):
        list_of(tmp_path, text)


def test_a_link_cell_may_hold_anything_that_leads_to_a_video(tmp_path: Path) -> None:
    """Addresses, YouTube's with and without https, bare ids, files; other schemes stay to be refused by the guard."""
    (tmp_path / "here.wav").touch()
    cells = [
        "https://example.org/a.mp4",
        "youtu.be/dQw4w9WgXcQ",
        "dQw4w9WgXcQ",
        "here.wav",
        "gone.wav",
        "file:///etc/passwd",
    ]
    cells += ["ftp://example.org/a.mp4", "javascript:alert(1)", "#NAME?"]
    one = list_of(tmp_path, "link\n" + "\n".join(cells) + "\nno link at all\n")
    youtube = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert [row.source for row in one.rows] == [
        *("https://example.org/a.mp4", youtube, youtube, str(tmp_path / "here.wav"), str(tmp_path / "gone.wav")),
        *("file:///etc/passwd", "ftp://example.org/a.mp4", "javascript:alert(1)"),
        "https://www.youtube.com/watch?v=%23NAME%3F",
    ]
    assert "#NAME?" in (damaged(one.rows[-1].source) or "")
    assert [bad.problem for bad in one.bad_rows] == ["link 'no link at all' is no link, no YouTube id and no file"]


def test_path_link_and_url_may_stand_side_by_side(tmp_path: Path) -> None:
    """The first of the three columns that is filled in leads to the video."""
    one = list_of(
        tmp_path, "url,link,path\nhttps://e.org/u,,\nhttps://e.org/u,https://e.org/l,\nhttps://e.org/u,,p.wav\n,,\n"
    )
    assert [row.source for row in one.rows] == ["https://e.org/u", "https://e.org/l", str(tmp_path / "p.wav")]
    assert one.bad_rows[0].problem == "no path and no link: path is empty, link is empty, url is empty"


def test_one_video_in_several_rows_is_one_id_and_several_rows(tmp_path: Path) -> None:
    """Rows of the same video are all kept: each may claim another category."""
    one = list_of(tmp_path, "link,category\ndQw4w9WgXcQ,food\nhttps://youtu.be/dQw4w9WgXcQ,travel\n")
    assert [(row.video_id, row.label) for row in one.rows] == [("dQw4w9WgXcQ", "food"), ("dQw4w9WgXcQ", "travel")]


def test_sub_folders_are_categories(tmp_path: Path) -> None:
    """A folder's media are found at any depth, labelled by the first folder; other and hidden files are passed over."""
    for name in (
        "rain/b.wav",
        "rain/deep/a.MP3",
        "sea/c.ogg",
        "top.webm",
        ".hidden.wav",
        ".git/x.wav",
        "notes.txt",
        "sea/a.csv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    one = read_source(str(tmp_path))
    found = [(os.path.relpath(row.source, tmp_path), row.label, row.title, row.number) for row in one.rows]
    assert found == [
        ("rain/b.wav", "rain", "b", 1),
        ("rain/deep/a.MP3", "rain", "a", 2),
        ("sea/c.ogg", "sea", "c", 3),
        ("top.webm", None, "top", 4),
    ]


def test_odd_entries_of_a_folder_are_rows_or_bad_rows(tmp_path: Path) -> None:
    """A link out of the folder and a folder named like media are rows; linked folders and unwritable names are told."""
    folder = tmp_path / "media"
    (folder / "a_folder.mp4").mkdir(parents=True)
    (folder / "a_folder.mp4" / "notes.txt").touch()
    (folder / "category.mp4").mkdir()
    (folder / "category.mp4" / "real.wav").touch()
    (folder / "out.wav").symlink_to("/etc/hostname")
    (folder / "loop").symlink_to(folder)
    (folder / "round.wav").symlink_to("round.wav")
    Path(os.fsdecode(os.fsencode(folder) + b"/broken\xff.wav")).touch()
    one = read_source(str(folder))
    assert [os.path.relpath(row.source, folder) for row in one.rows] == [
        *("a_folder.mp4", "category.mp4/real.wav", "out.wav", "round.wav"),
    ]
    assert sorted(bad.problem.partition(":")[0].split("/")[-1] for bad in one.bad_rows) == [
        "broken?.wav' is not valid UTF-8",
        "loop is a symbolic link, which is not followed",
    ]


def test_an_empty_folder_is_a_wrong_usage(tmp_path: Path) -> None:
    """A folder without media is said so, with what was looked for."""
    with pytest.raises(UsageError, match=r"no media in the folder .*\.webm"):
        read_source(str(tmp_path))


def test_a_single_file_and_a_single_link(tmp_path: Path) -> None:
    """One file, one link or one bare id is a list of one."""
    (tmp_path / "-rf.wav").touch()
    row = read_source(str(tmp_path / "-rf.wav")).rows[0]
    assert (row.source, row.title, row.label) == (str(tmp_path / "-rf.wav"), "-rf", None)
    for source in ("https://youtu.be/-wtIMTCHWuI", "-wtIMTCHWuI"):
        row = read_source(source).rows[0]
        assert (row.video_id, is_link(row.source), row.title) == ("-wtIMTCHWuI", True, "")


@pytest.mark.parametrize("source", ["/nowhere/list.csv", "nowhere", "no such thing.csv", "", "a\0b"])
def test_what_is_not_there_is_a_wrong_usage(source: str) -> None:
    """A wrong path is told before anything starts, and a short word is not taken for a damaged id."""
    with pytest.raises(UsageError):
        read_source(source)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_every_row_of_any_list_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    """Whatever a list holds, each of its rows is a row or a bad row, each number once."""
    import csv

    folder = tmp_path_factory.mktemp("any")
    with (folder / "any.csv").open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(["link", "label"])
        writer.writerows([("x.wav", "first"), *cells])
    one = read_source(str(folder / "any.csv"))
    numbers = [row.number for row in one.rows] + [bad.number for bad in one.bad_rows]
    assert sorted(numbers) == list(range(1, len(cells) + 2))


@pytest.mark.realdata
def test_the_youtube_list_is_read_whole(data: Path) -> None:
    """3,599 rows, none bad, 3,432 videos, 1,907 channels, 1,497 rows with a damaged id."""
    one = read_source(str(data / "youtube.csv"))
    assert (len(one.rows), len(one.bad_rows)) == (3599, 0)
    assert len({row.video_id for row in one.rows}) == 3432
    assert len({row.channel for row in one.rows}) == 1907
    assert sum(damaged(row.source) is not None for row in one.rows) == 1497


@pytest.mark.realdata
def test_the_recordings_lists_are_read_whole(data: Path) -> None:
    """The 400 recordings keep their fold and are grouped by their source; the 43 videos have channels and labels."""
    esc = read_source(str(data / "esc10" / "esc10.csv")).rows
    assert (len(esc), len({row.channel for row in esc}), len({row.label for row in esc})) == (400, 304, 10)
    assert all(row.extra["fold"] in "12345" and Path(row.source).is_file() for row in esc)
    videos = read_source(str(data / "videos" / "videos.csv")).rows
    assert len(videos) == 43
    assert all(row.channel and row.label and row.title and Path(row.source).is_file() for row in videos)


def test_a_label_of_several_lines_is_a_bad_row(tmp_path: Path) -> None:
    """A quote that is never closed swallows rows: it is reported by number instead of becoming a category."""
    one = list_of(tmp_path, 'path,category\n0.wav,low\n1.wav,"low\n2.wav,high\n')
    assert [row.label for row in one.rows] == ["low"]
    assert [(bad.number, "quote" in bad.problem) for bad in one.bad_rows] == [(2, True)]


def test_a_collection_inside_of_a_folder_is_no_source(tmp_path: Path) -> None:
    """Ingesting the folder that holds the collection does not take what the collection keeps for videos."""
    (tmp_path / "collection" / "media").mkdir(parents=True)
    (tmp_path / "collection" / "collection.toml").touch()
    for path in ("a.wav", "collection/media/a.ogg"):
        (tmp_path / path).touch()
    assert [row.source for row in read_source(str(tmp_path)).rows] == [str(tmp_path / "a.wav")]
