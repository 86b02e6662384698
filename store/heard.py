"""SQL for the words of fragments and the full-text index over them, inside the transaction of the connection given."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from quartzlens.records import Fingerprint, Words
from store import catalog
from store.words import phrases, tokens


def write(connection: sqlite3.Connection, words: Mapping[tuple[int, int], Sequence[Words]]) -> None:
    """Replace the words of the fragments of videos, by the numbers of video and encoder.

    A trigger takes the old ones out of the index.
    """
    connection.executemany("DELETE FROM words WHERE video = ? AND encoder = ?", words)
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM words").fetchone()
    every = [(*of, number, one) for of, several in words.items() for number, one in enumerate(several)]
    numbered = list(enumerate(every, last + 1))
    connection.executemany(
        "INSERT INTO words (seq, video, encoder, number, text, probability) VALUES (?, ?, ?, ?, ?, ?)",
        ((seq, *place, one.text, one.probability) for seq, (*place, one) in numbered),
    )
    connection.executemany(
        "INSERT INTO heard (rowid, tokens) VALUES (?, ?)",
        ((seq, indexed) for seq, (*_, one) in numbered if (indexed := " ".join(tokens(one.text)))),
    )


def forget(connection: sqlite3.Connection) -> None:
    """Take out of the index what it still holds of words that are gone: it skips them until its parts are merged."""
    connection.execute("INSERT INTO heard (heard) VALUES ('optimize')")


def matching(
    connection: sqlite3.Connection, fingerprint: Fingerprint, ids: Collection[str] | None, saying: str
) -> list[tuple[str, int]]:
    """Video and number of each fragment in which all of ``saying`` was heard: best first by BM25, then as they came."""
    wanted = phrases(saying)
    if not wanted:
        return []
    # Tokens hold letters, digits and marks alone, so nothing in the quotes can be syntax.
    query = " AND ".join(f'"{" ".join(phrase)}" *' for phrase in wanted)
    condition, parameters = catalog.wanted("videos.id", ids)
    only = catalog.chosen(ids)
    found = connection.execute(
        # CROSS JOIN keeps SQLite from looking a word's row up before the index was asked.
        "SELECT videos.id, number FROM heard CROSS JOIN words ON words.seq = heard.rowid "  # noqa: S608 - constants and question marks alone
        "JOIN videos ON videos.seq = video WHERE heard MATCH ? AND encoder = (SELECT seq FROM encoders WHERE key = ?) "
        f"AND {condition} ORDER BY bm25(heard), video, number",
        (query, fingerprint.key, *parameters),
    )
    return [(video_id, number) for video_id, number in found if only is None or video_id in only]
