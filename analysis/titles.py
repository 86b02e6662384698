"""Videos found by the words of their titles."""

from collections.abc import Iterable

from quartzlens.records import Video
from store.words import phrases, score, tokens


def titled(videos: Iterable[Video], saying: str) -> tuple[str, ...]:
    """Ids of the videos whose title holds every word of ``saying``, or one that begins with it; the fullest first.

    Case and accents do not matter, as where heard words are looked for; equal ones come in the order of ``videos``.

    >>> titled([Video("a", "/a", title="Soupe à l'oignon"), Video("b", "/b", title="Soup")], "soup")
    ('b', 'a')
    """
    wanted = phrases(saying)
    scores = [(score(tokens(video.title), wanted), video.id) for video in videos] if wanted else []
    found = [(value, video_id) for value, video_id in scores if value > 0]
    return tuple(video_id for _, video_id in sorted(found, key=lambda pair: -pair[0]))
