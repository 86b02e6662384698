"""Ids of videos."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.identity import damaged, is_safe_id, playlist_link, video_id, youtube_id

FORMS = [
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "http://youtube.com/watch?v=dQw4w9WgXcQ&list=PL1&index=3",
    "https://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ",
    "https://music.youtube.com/watch?v=dQw4w9WgXcQ&feature=share",
    "https://youtu.be/dQw4w9WgXcQ?t=42",
    "https://www.youtube.com/shorts/dQw4w9WgXcQ",
    "https://www.youtube.com/embed/dQw4w9WgXcQ?autoplay=1",
    "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
    "https://www.youtube.com/live/dQw4w9WgXcQ?si=x",
    "https://www.youtube.com/v/dQw4w9WgXcQ",
    "HTTPS://WWW.YOUTUBE.COM/watch?v=dQw4w9WgXcQ#t=1",
]


@pytest.mark.parametrize("link", FORMS)
def test_every_form_of_a_youtube_address_is_one_video(link: str) -> None:
    """The same video is recognised however its address is written."""
    assert video_id(link) == "dQw4w9WgXcQ"
    assert damaged(link) is None


@pytest.mark.parametrize("link", FORMS)
def test_a_video_is_no_playlist(link: str) -> None:
    """Not even where its address names the playlist that it was watched in."""
    assert playlist_link(link) is None


@pytest.mark.parametrize(
    ("link", "canonical"),
    [
        ("http://youtube.com/playlist?list=PLab-_c&index=3", "playlist?list=PLab-_c"),
        ("https://music.youtube.com/playlist?list=OLAK5uy", "playlist?list=OLAK5uy"),
        ("https://m.youtube.com/channel/UCabc/videos?view=0&sort=p", "channel/UCabc/videos"),
        ("https://www.youtube.com/@Handle.1/", "@Handle.1"),
        ("https://www.youtube.com/@имя/streams#x", "@%D0%B8%D0%BC%D1%8F/streams"),
        ("https://www.youtube.com/@%D0%B8%D0%BC%D1%8F/streams", "@%D0%B8%D0%BC%D1%8F/streams"),
        ("HTTPS://YOUTUBE.com/c/Name/shorts", "c/Name/shorts"),
        ("https://www.youtube.com/user/name/playlists", "user/name/playlists"),
    ],
)
def test_every_form_of_a_playlist_has_one_address(link: str, canonical: str) -> None:
    """A playlist or channel is recognised however its address is written, and is no damaged id."""
    assert playlist_link(link) == f"https://www.youtube.com/{canonical}"
    assert playlist_link(f"https://www.youtube.com/{canonical}") == f"https://www.youtube.com/{canonical}"
    assert "playlist or channel" in str(damaged(link))


@pytest.mark.parametrize(
    "link",
    [
        *(
            "https://www.youtube.com/",
            "https://www.youtube.com/playlist",
            "https://www.youtube.com/playlist?list=a%20b",
        ),
        *("https://www.youtube.com/@", "https://www.youtube.com/c", "https://www.youtube.com/c/a/b"),
        *("https://www.youtube.com/@a/about", "https://www.youtube.com/@a/videos/c", "https://www.youtube.com/name"),
        *("https://youtu.be/@a", "https://example.org/@a", "ftp://www.youtube.com/@a", "/media/@a", "http://[a"),
    ],
)
def test_other_addresses_are_no_playlists(link: str) -> None:
    """Pages without videos of their own, other hosts and other schemes are not asked for lists."""
    assert playlist_link(link) is None


def test_an_id_that_begins_with_a_dash_is_kept() -> None:
    """Ten real ids begin with a dash; they are ids like any other."""
    assert video_id("https://www.youtube.com/watch?v=-wtIMTCHWuI") == "-wtIMTCHWuI"


def test_the_id_of_a_file_is_its_slug_and_the_hash_of_its_path() -> None:
    """A file's id can be worked out by hand: slug of the stem, 8 hex digits of the SHA-256 of the absolute path."""
    path = "/media/Дождь, Rain at Noon in the old town.wav"
    expected = hashlib.sha256(path.encode()).hexdigest()[:8]
    assert video_id(path) == f"rain-at-noon-in-the-old-{expected}"
    assert video_id("/media/sub/../Дождь, Rain at Noon in the old town.wav") == video_id(path)


def test_a_file_without_letters_still_has_an_id() -> None:
    """A name in another script, or none to speak of, does not make an empty or a short id."""
    assert re.fullmatch(r"video-[0-9a-f]{8}", video_id("/media/Дождь.wav"))
    assert re.fullmatch(r"video-a-[0-9a-f]{8}", video_id("/a.wav"))


def test_two_addresses_of_one_place_are_one_video() -> None:
    """Case of the host, the default port and a fragment do not make another video; path and query do."""
    one = video_id("http://Example.org:80/Rain.mp4#t=3")
    assert one == video_id("HTTP://example.org/Rain.mp4")
    assert one != video_id("http://example.org/rain.mp4")
    assert one != video_id("http://example.org/Rain.mp4?v=2")


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://www.youtube.com/watch?v=JLZlCZ0", "Incomplete YouTube ID 'JLZlCZ0'"),
        ("https://youtu.be/", "no video id"),
        ("https://www.youtube.com/watch?v=", "no video id"),
        ("https://www.youtube.com/watch?v=%23NAME%3F", "'#NAME?'"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQQ", "no YouTube id"),
    ],
)
def test_a_damaged_id_is_found_before_any_request(link: str, words: str) -> None:
    """A link that can lead to no video is told by looking at it, and the reason says what is wrong."""
    assert words in (damaged(link) or "")


@pytest.mark.parametrize(
    "source", ["https://example.org/a.mp4", "/media/a.mp4", "http://[broken", "javascript:alert(1)"]
)
def test_only_youtube_links_can_be_damaged(source: str) -> None:
    """Files and other links are not judged by YouTube's rule."""
    assert damaged(source) is None
    assert is_safe_id(video_id(source))


@given(st.text(min_size=1))
def test_every_source_has_a_safe_id_that_is_no_youtube_id(text: str) -> None:
    """Whatever a stranger writes becomes a file name of harmless characters, longer than YouTube's 11."""
    for source in (f"/{text}", f"https://example.org/{text}", f"http://{text}"):
        if youtube_id(source) is None:
            assert is_safe_id(video_id(source))
            assert len(video_id(source)) >= 12
