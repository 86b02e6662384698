"""Moving everything that a store keeps into another, whatever their backends: in batches, resumable, verified.

What the contract does not tell word for word comes first and at once (``store.base.Ledger``), then videos by whole
batches, then runs. What the target has already is not written again, so that a copy that was cut off goes on.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quartzlens.errors import CollectionError
from quartzlens.figures import how_many
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Fingerprint, Result, Video, Words
from store.base import Ledger, Movable

_BATCH = 100  # videos
_K = 10
_QUERIES = 5  # searches of a fingerprint that must have the same answers
_AMONG = 500  # videos whose fragments are searched

OnProgress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How much is in both stores, verified; ``new_videos`` came with this copy."""

    videos: int
    new_videos: int
    embeddings: int
    fragments: int
    labels: int
    runs: int


def copy_store(source: Movable, target: Movable, on_progress: OnProgress = lambda *_: None) -> Copied:
    """Copy everything, and verify it: counts, checksums of every array, and some searches.

    Raises
    ------
    CollectionError
        The target keeps another collection, something in it is not as in the source, or a repair of the source dropped
        an embedding that is not made anew.
    """
    ledger = source.ledger()
    wanted = source.videos()
    _check_embedded(source, ledger, wanted)
    _begin(ledger, target)
    there = {video.id: video for video in target.videos()}
    missing = [video for video in wanted if there[video.id] != video]
    done = len(wanted) - len(missing)
    for batch in _batches(missing):
        target.commit(_results(source, ledger, batch))
        done += len(batch)
        on_progress("videos", done, len(wanted))
    have = {run.id for run in target.runs()}
    runs = source.runs()
    for number, run in enumerate(runs, 1):
        if run.id not in have:
            target.add_run(*source.runs(run.id))
        on_progress("runs", number, len(runs))
    return replace(verify(source, target, on_progress), new_videos=len(missing))


def _check_embedded(source: Movable, ledger: Ledger, videos: Sequence[Video]) -> None:
    embedded = {video_id for encoder in ledger.encoders for video_id in source.embedded_ids(encoder)}
    bare = [video.id for video in videos if video.outcome is Outcome.OK and video.id not in embedded]
    if bare:
        message = (
            f"{how_many(len(bare), 'video')} ({bare[0]!r} first) lost the embedding to `check --repair`: `quartzlens "
            "ingest` with the same list embeds them anew, or says why not. Copy then."
        )
        raise CollectionError(message)


def _begin(ledger: Ledger, target: Movable) -> None:
    """Make the target ready, or see that it is the one that was begun before."""
    there = target.ledger()
    if there == ledger:
        return
    if there != Ledger() or target.runs():
        message = (
            "The target keeps another collection, or the source was changed since the copy began: "
            "they are not mixed. Copy to a new folder and store."
        )
        raise CollectionError(message)
    target.take_over(ledger)


def _batches(videos: Sequence[Video]) -> Iterator[list[Video]]:
    for start in range(0, len(videos), _BATCH):
        yield list(videos[start : start + _BATCH])


def _results(source: Movable, ledger: Ledger, videos: Sequence[Video]) -> list[Result]:
    """What makes the target's videos what these are: their embeddings, then their outcomes."""
    by_id = {video.id: video for video in videos}
    results = []
    for encoder in ledger.encoders:
        for video_id, embedded in _embedded(source, encoder, ledger.blocks.get(encoder.key, ()), list(by_id)):
            results.append(_result(by_id[video_id], Outcome.OK, embedded))
    return results + [
        _result(video, video.outcome, None) for video in videos if video.outcome not in {None, Outcome.OK}
    ]


def _result(video: Video, outcome: Outcome | None, embedded: Embedded | None) -> Result:
    return Result(
        video.id,
        outcome or Outcome.OK,
        video.stage or Stage.ENCODE,
        video.tried_at or "",
        video.detail,
        video.media,
        embedded,
    )


def _embedded(
    source: Movable, encoder: Fingerprint, blocks: Sequence[str], ids: Sequence[str]
) -> Iterator[tuple[str, Embedded]]:
    """Everything of an encoder's embeddings of some videos."""
    pooled, fragments = source.embeddings(encoder, ids), source.fragments(encoder, ids)
    moments = {block: source.embeddings(encoder, ids, block) for block in blocks}
    profiles: dict[str, dict[str, np.ndarray]] = {video_id: {} for video_id in pooled.ids}
    for block, entries in moments.items():
        for video_id, entry in zip(entries.ids, entries.matrix, strict=True):
            profiles[video_id][block] = entry.reshape(2, -1)
    owner = np.array(fragments.ids, dtype=object)
    for video_id, vector in zip(pooled.ids, pooled.matrix, strict=True):
        mine = np.flatnonzero(owner == video_id)
        heard = [fragments.words[at] for at in mine]
        words: tuple[Words, ...] = tuple(one for one in heard if one is not None)
        yield (
            video_id,
            Embedded(encoder, vector, fragments.matrix[mine], fragments.bounds[mine], profiles[video_id], words),
        )


def verify(source: Movable, target: Movable, on_progress: OnProgress = lambda *_: None) -> Copied:
    """Compare two stores; CollectionError says what is not the same."""
    ledger = source.ledger()
    videos, runs = source.videos(), source.runs()
    _same("list, row or label", ledger == target.ledger())
    _same("count", _counts(source) == _counts(target))
    _same("outcome", videos == target.videos())
    _same("run", [run.id for run in runs] == [run.id for run in target.runs()])
    for run in runs:
        _same(f"run {run.id}", _run_sum(source, run.id) == _run_sum(target, run.id))
    embeddings = fragments = 0
    for number, encoder in enumerate(ledger.encoders):
        sums = _sums(source, encoder, ledger.blocks.get(encoder.key, ()), videos)
        _same(f"embedding of {encoder}", sums == _sums(target, encoder, ledger.blocks.get(encoder.key, ()), videos))
        _same(f"search with {encoder}", _answers(source, encoder) == _answers(target, encoder))
        embeddings, fragments = embeddings + sums[1], fragments + sums[2]
        on_progress("encoders verified", number + 1, len(ledger.encoders))
    return Copied(len(videos), 0, embeddings, fragments, len(ledger.labels), len(runs))


def _same(what: str, same: bool) -> None:
    if not same:
        message = f"The copy is not the same as the source: some {what} differs. Copy again, to a new folder."
        raise CollectionError(message)


def _counts(store: Movable) -> object:
    info = store.info()
    return info.rows, info.bad_rows, info.labels, info.encoders


def _run_sum(store: Movable, run_id: str) -> object:
    (run,) = store.runs(run_id)
    files = {name: hashlib.sha256(content).hexdigest() for name, content in run.files.items()}
    return run.kind, run.created_at, run.fingerprint_key, run.seed, run.labels_seen, run.settings, run.results, files


def _sums(store: Movable, encoder: Fingerprint, blocks: Sequence[str], videos: Sequence[Video]) -> tuple[str, int, int]:
    """A checksum over all arrays and words of an encoder, and the numbers of embeddings and fragments."""
    digest = hashlib.sha256()
    n = f = 0
    for batch in _batches(videos):
        ids = [video.id for video in batch]
        fragments = store.fragments(encoder, ids)
        digest.update(repr((fragments.ids, fragments.words)).encode("utf-8", "surrogatepass"))
        digest.update(fragments.bounds.tobytes() + fragments.matrix.tobytes())
        for block in ("", *blocks):
            entries = store.embeddings(encoder, ids, block)
            digest.update(repr(entries.ids).encode("utf-8", "surrogatepass") + entries.matrix.tobytes())
            n += 0 if block else len(entries.ids)
        f += len(fragments.ids)
    return digest.hexdigest(), n, f


def _answers(store: Movable, encoder: Fingerprint) -> object:
    """What some embeddings, spread over the collection, have for neighbours: exactly, as every store must answer."""
    ids = store.embeddings(encoder).ids
    picked = ids[:: max(1, len(ids) // _QUERIES)][:_QUERIES]
    if not picked:
        return None
    queries = store.embeddings(encoder, picked).matrix
    return (
        store.search(encoder, queries, _K, within=ids),
        store.search(encoder, queries, _K, within=ids[:_AMONG], fragments=True),
    )
