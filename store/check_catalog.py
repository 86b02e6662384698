"""Whether a catalog is sound: SQLite's own checks, and what SQLite cannot know of what we keep in it."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Fingerprint
from store import schema
from store.advice import explained
from store.catalog_copy import problems_of
from store.connections import reader
from store.findings import Finding, Repair, Say, Severity
from store.words import tokens

_EVERY = 5000
_SALVAGE = "`quartzlens check --repair` copies what can be read, and keeps the damaged file; or restore a backup."
_AGAIN = "`quartzlens check --repair` drops it, and the next ingest makes it anew from the kept media or the link."


def of_catalog(path: Path, say: Say) -> Iterator[Finding]:
    """What is wrong with a catalog; where SQLite finds damage, that alone.

    Nothing is written. A catalog of another version is only looked at by SQLite's own checks.

    Raises
    ------
    CollectionError
        Rights, the disk or another process keep from looking at it, or it was being written.
    """
    try:
        with explained(path, damage=False), reader(path) as connection:
            connection.execute("BEGIN")
            say("catalog: integrity")
            damage = list(_damage(connection, path))
            yield from damage or _contents(connection, path, say)
    except sqlite3.DatabaseError as error:
        yield Finding(Severity.WRONG, f"cannot be read: {error}", path.name, _SALVAGE, Repair.SALVAGE)


def _damage(connection: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    for problem in problems_of(connection):
        yield Finding(Severity.WRONG, f"damaged: {problem}", path.name, _SALVAGE, Repair.SALVAGE)


def _contents(connection: sqlite3.Connection, path: Path, say: Say) -> Iterator[Finding]:
    version, newest = schema.version_of(connection), len(schema.MIGRATIONS)
    if version != newest:
        advice = "use the quartzlens that wrote it" if version > newest else "`quartzlens status` brings it up to date"
        severity = Severity.WRONG if version > newest else Severity.NOTE
        yield Finding(severity, f"version {version}, and this quartzlens writes {newest}", path.name, f"{advice}.")
        return
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield Finding(Severity.WRONG, f"belongs to no row of {parent}", f"{table} {row}", _SALVAGE, Repair.SALVAGE)
    yield from _facts(connection)
    yield from _heard(connection, say)
    for seq, fingerprint in _encoders(connection):
        yield from _Arrays(connection, seq, fingerprint).findings(say)


def _facts(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Texts that must be JSON, an encoder's facts, or of a closed set."""
    by_hand = "Only a backup has it: `quartzlens restore`."
    found = connection.execute("SELECT id, extra, outcome, stage FROM videos")
    for video_id, extra, outcome, stage in found:
        if not _is_json(extra) or outcome not in {None, *Outcome} or stage not in {None, *Stage}:
            yield Finding(Severity.WRONG, "its columns, outcome or stage cannot be read", f"video {video_id}", by_hand)
    for run_id, settings, results in connection.execute("SELECT id, settings, results FROM runs"):
        if not _is_json(settings) or not _is_json(results):
            yield Finding(Severity.WRONG, "its settings or results cannot be read", f"run {run_id}", by_hand)
    for key, facts in connection.execute("SELECT key, facts FROM encoders"):
        if _fingerprint(facts, key) is None:
            yield Finding(Severity.WRONG, "its settings are not those of its key", f"encoder {key}", by_hand)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, TypeError):
        return False


def _fingerprint(facts: str, key: str) -> Fingerprint | None:
    try:
        found = Fingerprint(**json.loads(facts))
    except (ValueError, TypeError):
        return None
    return found if found.key == key else None


def _encoders(connection: sqlite3.Connection) -> list[tuple[int, Fingerprint]]:
    found = connection.execute("SELECT seq, facts, key FROM encoders ORDER BY seq").fetchall()
    return [(seq, one) for seq, facts, key in found if (one := _fingerprint(facts, key)) is not None]


def _heard(connection: sqlite3.Connection, say: Say) -> Iterator[Finding]:
    """Whether the full-text index has the words of every fragment, and of no other."""
    say("words: the index")
    wanted = ((seq, " ".join(tokens(text))) for seq, text in connection.execute("SELECT seq, text FROM words"))
    try:
        have = dict(connection.execute("SELECT rowid, tokens FROM heard"))
        right = have == {seq: text for seq, text in wanted if text} and _answers(connection, have)
    except sqlite3.DatabaseError:
        right = False
    if not right:
        advice = "`quartzlens check --repair` indexes the words anew; none is lost."
        yield Finding(Severity.WRONG, "is not the index of the words that are kept", "heard", advice, Repair.WORDS)


def _answers(connection: sqlite3.Connection, have: dict[int, str]) -> bool:
    """Whether some texts of the index are found by it: its parts may disagree where its texts are right."""
    some = sorted(have)[:: max(1, len(have) // 200)]
    found = "SELECT 1 FROM heard WHERE heard MATCH ? AND rowid = ?"
    return all(connection.execute(found, (f'"{have[rowid]}"', rowid)).fetchone() for rowid in some)


@dataclass(frozen=True, slots=True)
class _Arrays:
    """The embeddings of one encoder, and what goes with them."""

    connection: sqlite3.Connection
    encoder: int
    fingerprint: Fingerprint

    def findings(self, say: Say) -> Iterator[Finding]:
        """Everything that is not finite, of another length, or without what goes with it."""
        (n,) = self._rows("SELECT count(*) FROM embeddings WHERE encoder = ?").fetchone()
        found = self._rows(
            "SELECT embeddings.video, videos.id, vector, bounds, matrix FROM embeddings JOIN videos ON seq = video "
            "LEFT JOIN fragments USING (video, encoder) WHERE encoder = ? ORDER BY 1"
        )
        for at, (video, video_id, *blobs) in enumerate(found, 1):
            if problem := self._problem(*blobs):
                yield self._finding(problem, video_id, video, Repair.EMBEDDING, _AGAIN)
            if at % _EVERY == 0 or at == n:
                say(f"embeddings of {self.fingerprint.checkpoint_name}: {at} of {n}")
        yield from self._strays()
        yield from self._profiles()
        yield from self._words()

    def _problem(self, vector: bytes, bounds: bytes | None, matrix: bytes | None) -> str:
        if bounds is None or matrix is None:
            return "the embedding has no fragments"
        if not _is_sound(vector, "<f4", self.fingerprint.dimension):
            return "the embedding is not finite, or of another length than its encoder's"
        count = len(bounds) // 8
        if not _is_sound(bounds, "<f4", 2 * count) or not _is_sound(matrix, "<f2", count * self.fingerprint.dimension):
            return "its fragments are not finite, or of another length than their encoder's"
        return ""

    def _strays(self) -> Iterator[Finding]:
        """Fragments, profiles and words of videos without an embedding."""
        for table in ("fragments", "profiles", "words"):
            found = self._rows(
                f"SELECT DISTINCT video, id FROM {table} JOIN videos ON videos.seq = video WHERE encoder = ? "  # noqa: S608 - a constant
                "AND video NOT IN (SELECT video FROM embeddings WHERE embeddings.encoder = ?2)",
                self.encoder,
            )
            for video, video_id in found:
                yield self._finding(f"there are {table} and no embedding", video_id, video, Repair.EMBEDDING, _AGAIN)

    def _profiles(self) -> Iterator[Finding]:
        channels: dict[str, int] = {}
        found = self._rows(
            "SELECT video, id, block, matrix FROM profiles JOIN videos ON videos.seq = video WHERE encoder = ?"
        )
        for video, video_id, block, matrix in found:
            length = len(matrix) // 2
            if not length or length % 2 or not _is_sound(matrix, "<f2", channels.setdefault(block, length)):
                what = f"the depth profile of {block} is not finite, or of another length than others"
                advice = "`quartzlens check --repair` drops it; `reembed` to and fro makes it anew."
                yield self._finding(what, video_id, video, Repair.PROFILE, advice)

    def _words(self) -> Iterator[Finding]:
        found = self._rows(
            "SELECT words.video, id, count(*), max(number), min(number), length(bounds) / 8, "
            "min(probability), max(probability) FROM words JOIN videos ON videos.seq = words.video "
            "JOIN fragments USING (video, encoder) WHERE encoder = ? GROUP BY 1"
        )
        for video, video_id, count, last, first, fragments, least, most in found:
            if (first, last, count) != (0, fragments - 1, fragments) or not 0 <= least <= most <= 1:
                what = "the words are not one a fragment, each with a probability"
                advice = "`quartzlens check --repair` drops them; `reembed` makes them anew."
                yield self._finding(what, video_id, video, Repair.HEARD, advice)

    def _rows(self, statement: str, *more: int) -> sqlite3.Cursor:
        return self.connection.execute(statement, (self.encoder, *more))

    def _finding(self, what: str, video_id: str, video: int, repair: Repair, advice: str) -> Finding:
        where = f"video {video_id}, encoder {self.fingerprint.key}"
        return Finding(Severity.WRONG, what, where, advice, repair, f"{video} {self.encoder}")


def _is_sound(blob: bytes, dtype: str, length: int) -> bool:
    """Whether a blob is so many finite numbers."""
    kind = np.dtype(dtype)
    return (
        isinstance(blob, bytes)
        and len(blob) == length * kind.itemsize
        and bool(np.isfinite(np.frombuffer(blob, kind)).all())
    )
