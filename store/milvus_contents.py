"""Arrays, words and files in Milvus: base64 text in rows that an entry of the catalog names."""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Embedded, Embeddings, Fingerprint, Fragments, Words
from store import arrays, vectors, words
from store.arrays import HALF, SINGLE
from store.milvus_entries import Attempt
from store.milvus_tables import Row, Tables, joined, row, texts

CONTENTS = "quartzlens_contents"
_BLOCK = 1000  # videos read at a time

Held = Sequence[tuple[str, Attempt]]


def videos_table(key: str) -> str:
    """The table of an encoder's pooled embeddings, normalised, for search."""
    return f"quartzlens_videos_{key}"


def fragments_table(key: str) -> str:
    """The table of an encoder's fragments, normalised, for search."""
    return f"quartzlens_fragments_{key}"


def prepared(embedded: Embedded) -> tuple[Attempt, list[Row]]:
    """A new attempt at writing embeddings that ``arrays.kept`` made, and the rows of its contents."""
    contents = {
        "pooled": embedded.embedding.astype(SINGLE).tobytes(),
        "fragments": embedded.bounds.astype(SINGLE).tobytes() + embedded.fragments.astype(HALF).tobytes(),
    }
    if embedded.words:
        contents["words"] = json.dumps([(one.text, one.probability) for one in embedded.words]).encode()
    if embedded.profile:
        contents["profile"] = b"".join(one.astype(HALF).tobytes() for one in embedded.profile.values())
    cut = {name: coded(content) for name, content in contents.items()}
    attempt = Attempt(
        secrets.randbits(62),
        embedded.fingerprint.key,
        len(embedded.fragments),
        {name: len(parts) for name, parts in cut.items()},
        {block: one.shape[1] for block, one in embedded.profile.items()},
    )
    text = [part for parts in cut.values() for part in parts]
    return attempt, [row(key, part) for key, part in zip(attempt.content_keys(), text, strict=True)]


def searchable(attempt: Attempt, embedded: Embedded) -> tuple[Row, list[Row]]:
    """The rows of an attempt in its encoder's tables of videos and of fragments."""
    (pooled,) = vectors.normalised(embedded.embedding[None]).tolist()
    parts = zip(attempt.fragment_keys(), vectors.normalised(embedded.fragments).tolist(), strict=True)
    return (
        row(str(attempt.number), number=attempt.number, vector=pooled),
        [row(key, number=attempt.number, vector=vector) for key, vector in parts],
    )


def coded(content: bytes) -> list[str]:
    """Bytes as texts that fit into rows."""
    return texts(base64.b64encode(content).decode())


def content_of(rows: Mapping[str, Row], keys: Sequence[str], place: str) -> bytes:
    """The bytes whose texts are under ``keys``; CollectionError where one is gone."""
    return base64.b64decode(joined(rows, keys, place))


def erase(tables: Tables, attempts: Sequence[Attempt]) -> None:
    """Take the rows of attempts out of all tables; the numbers of others are never theirs."""
    by_encoder: dict[str, list[Attempt]] = {}
    for one in attempts:
        by_encoder.setdefault(one.encoder, []).append(one)
    tables.delete(CONTENTS, [key for one in attempts for key in one.content_keys()])
    for key, some in by_encoder.items():
        if tables.has(videos_table(key)) and tables.has(fragments_table(key)):
            tables.delete(videos_table(key), [str(one.number) for one in some])
            tables.delete(fragments_table(key), [name for one in some for name in one.fragment_keys()])


def _read(tables: Tables, held: Held, name: str) -> list[bytes]:
    """A content of each attempt that has it."""
    found = []
    for start in range(0, len(held), _BLOCK):
        keys = [one.content_keys(name) for _, one in held[start : start + _BLOCK]]
        rows = tables.get(CONTENTS, [key for some in keys for key in some], ["text"])
        found += [content_of(rows, some, tables.place) for some in keys]
    return found


def _matrix(contents: Sequence[bytes], dtype: np.dtype[np.floating], columns: int) -> NDArray[np.float32]:
    """Bytes of whole rows under one another: (n, columns) float32."""
    return np.frombuffer(b"".join(contents), dtype).reshape(-1, columns).astype(np.float32)


def embeddings(tables: Tables, held: Held, dimension: int) -> Embeddings:
    """Pooled embeddings of attempts, (n, d) float32."""
    return Embeddings(tuple(one for one, _ in held), _matrix(_read(tables, held, "pooled"), SINGLE, dimension))


def profiles(tables: Tables, held: Held, block: str) -> Embeddings:
    """A block's entries of the profiles of attempts that have it, (n, 2c) float32; (0, 0) of none."""
    some = [(video, one) for video, one in held if block in one.channels]
    if not some:
        return Embeddings((), np.empty((0, 0), np.float32))
    found = []
    for (_, one), content in zip(some, _read(tables, some, "profile"), strict=True):
        names = list(one.channels)
        start = sum(2 * one.channels[name] for name in names[: names.index(block)])
        found.append(np.frombuffer(content, HALF)[start : start + 2 * one.channels[block]].tobytes())
    return Embeddings(tuple(video for video, _ in some), _matrix(found, HALF, 2 * some[0][1].channels[block]))


def fragments(
    tables: Tables, fingerprint: Fingerprint, held: Held, saying: str = "", most: int | None = None
) -> Fragments:
    """Fragments of attempts in their order; with ``saying`` those in which it was heard, best first by its share."""
    said = _words(tables, held)
    if not saying:
        return _fragments(tables, fingerprint, held, said)
    wanted = words.phrases(saying)
    scores = {
        video: [words.score(words.tokens(one.text), wanted) for one in said[video]]
        for video, _ in held
        if video in said
    }
    places = [(video, number) for video, _ in held for number in range(len(scores.get(video, ())))]
    hits = [(video, number) for video, number in places if scores[video][number]]
    best = sorted(hits, key=lambda hit: -scores[hit[0]][hit[1]])[:most]
    chosen = {video for video, _ in best}
    among = _fragments(tables, fingerprint, [one for one in held if one[0] in chosen], said)
    return arrays.at_places(among, best)


def _words(tables: Tables, held: Held) -> dict[str, list[Words]]:
    """Words by the video's id, of those that somebody listened to."""
    heard = [(video, one) for video, one in held if "words" in one.parts]
    contents = _read(tables, heard, "words")
    return {
        video: [Words(text, probability) for text, probability in json.loads(content)]
        for (video, _), content in zip(heard, contents, strict=True)
    }


def _fragments(tables: Tables, fingerprint: Fingerprint, held: Held, said: Mapping[str, Sequence[Words]]) -> Fragments:
    contents = _read(tables, held, "fragments")
    ends = [one.fragments * 2 * SINGLE.itemsize for _, one in held]
    none: tuple[None, ...] = (None,)
    return Fragments(
        tuple(video for video, one in held for _ in range(one.fragments)),
        _matrix([content[:end] for content, end in zip(contents, ends, strict=True)], SINGLE, 2),
        _matrix([content[end:] for content, end in zip(contents, ends, strict=True)], HALF, fingerprint.dimension),
        tuple(heard for video, one in held for heard in said.get(video) or none * one.fragments),
    )
