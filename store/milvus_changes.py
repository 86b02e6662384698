"""What each change makes of the catalog in Milvus: functions of a catalog that write nothing."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from quartzlens.records import BadRow, Fingerprint, Label, LabelSource, Result, Row
from store import rules
from store.base import Ledger
from store.milvus_catalog import Catalog, Change, following
from store.milvus_entries import Attempt, EncoderEntry, Entry, LabelEntry, ListEntry, ResultEntry, VideoEntry


def new_rows(
    catalog: Catalog, source_list: str, rows: Sequence[Row], bad_rows: Sequence[BadRow], labels: Sequence[Label]
) -> Change:
    """A list has these rows from now on, which adds these labels; videos that nothing holds any more go."""
    known = catalog.lists.get(source_list)
    given = ListEntry(known.order if known else following(catalog.lists.values()), source_list, tuple(bad_rows))
    orders = {name: one.order for name, one in catalog.lists.items()} | {source_list: given.order}
    # Labels first: where a huge list needs several requests, no row may be there without its label.
    put: list[Entry] = [*label_entries(catalog, labels), given, *_with_rows(catalog, source_list, rows, orders)]
    put = [one for one in put if catalog.entries.get(one.key) != one]
    after = catalog.after(Change(put))
    erased = erasure(after, _unheld(after))
    gone = {one.key for one in erased.gone}
    return Change(
        [*(one for one in put if one.key not in gone), *erased.put],
        [one for one in erased.gone if one.key in catalog.entries],
        erased.waste,
    )


def _with_rows(catalog: Catalog, source_list: str, rows: Sequence[Row], orders: Mapping[str, int]) -> list[VideoEntry]:
    """The videos of a list's old and new rows, with the new ones; new videos come after all others."""
    given: dict[str, list[Row]] = {}
    for row in rows:
        given.setdefault(row.video_id, []).append(replace(row, extra=dict(row.extra)))
    order = following(catalog.videos.values())
    new = [VideoEntry(order, one, given[one][0]) for one in given if one not in catalog.videos]
    new = [replace(one, order=order + at) for at, one in enumerate(new)]
    old = [one for one in catalog.videos.values() if one.id in given or _is_of(one, source_list)]
    changed = []
    for one in (*old, *new):
        every = [*(row for row in one.rows if row.source_list != source_list), *given.get(one.id, ())]
        every.sort(key=lambda row: (orders[row.source_list], row.number))
        changed.append(replace(one, rows=tuple(every), facts=every[0] if every else one.facts))
    return changed


def _is_of(video: VideoEntry, source_list: str) -> bool:
    return any(row.source_list == source_list for row in video.rows)


def _unheld(catalog: Catalog) -> set[str]:
    """Videos that neither a row, nor an embedding, nor a person's label holds."""
    judged = {one.label.video_id for one in catalog.labels if one.label.source is LabelSource.PERSON}
    embedded = {one.id for one in catalog.results.values() if one.attempts}
    return {one.id for one in catalog.videos.values() if not one.rows} - judged - embedded


def label_entries(catalog: Catalog, labels: Sequence[Label]) -> list[LabelEntry]:
    """Labels at the end of the history."""
    order, token = following(catalog.labels), secrets.token_hex(8)
    return [LabelEntry(order + at, token, label) for at, label in enumerate(labels)]


def new_results(catalog: Catalog, results: Sequence[Result], attempts: Mapping[tuple[str, str], Attempt]) -> Change:
    """Results that were checked are there, their embeddings under these attempts (by video and encoder)."""
    put: dict[str, ResultEntry] = {}
    new: dict[str, dict[str, Attempt]] = {}
    for (video, key), attempt in attempts.items():
        new.setdefault(video, {})[key] = attempt
    for result in results:
        before = put.get(result.video_id) or catalog.results.get(result.video_id, ResultEntry(result.video_id))
        put[result.video_id] = replace(
            before,
            outcome=result.outcome,
            stage=result.stage,
            detail=result.detail,
            tried_at=result.tried_at,
            media=result.media or before.media,
            told_title=result.title or before.told_title,
            told_channel=result.channel or before.told_channel,
            attempts={**before.attempts, **new.get(result.video_id, {})},
        )
    replaced = [catalog.results[video].attempts.get(key) for video, key in attempts if video in catalog.results]
    encoders = with_encoders(catalog, [one.embedded.fingerprint for one in results if one.embedded])
    return Change([*encoders, *put.values()], waste=[one for one in replaced if one])


def with_encoders(catalog: Catalog, fingerprints: Iterable[Fingerprint], moved: int = 1) -> list[EncoderEntry]:
    """Encoders whose embeddings changed: each revision moves once; new ones come after all others."""
    order, changed = following(catalog.encoders.values()), dict[str, EncoderEntry]()
    for one in fingerprints:
        before = changed.get(one.key) or catalog.encoders.get(one.key)
        if before is None:
            before, order = EncoderEntry(order, one), order + 1
        revision = before.revision + (moved if one.key not in changed else 0)
        changed[one.key] = replace(before, fingerprint=one, revision=revision)
    return list(changed.values())


def erasure(catalog: Catalog, ids: Collection[str]) -> Change:
    """Videos go with all that is theirs; runs keep to the labels that they saw, and revisions move."""
    if not ids:
        return Change()
    gone: list[Entry] = [one for one in catalog.videos.values() if one.id in ids]
    results = [one for one in catalog.results.values() if one.id in ids]
    positions = [at for at, one in enumerate(catalog.labels) if one.label.video_id in ids]
    runs = []
    for one in catalog.runs.values():
        left = rules.labels_seen_after(one.run.labels_seen, positions)
        runs += [replace(one, run=replace(one.run, labels_seen=left))] if left != one.run.labels_seen else []
    touched = {key for one in results for key in one.attempts}
    encoders = with_encoders(catalog, [one.fingerprint for key, one in catalog.encoders.items() if key in touched])
    gone += [*results, *(catalog.labels[at] for at in positions)]
    return Change([*runs, *encoders], gone, [one for result in results for one in result.attempts.values()])


def without_runs(catalog: Catalog, change: Change, ids: Collection[str]) -> Change:
    """A change that also takes runs away, with their files, and so writes nothing of them."""
    runs = [one for one in catalog.runs.values() if one.run.id in ids]
    keys = {one.key for one in runs}
    put = [one for one in change.put if one.key not in keys]
    return Change(put, [*change.gone, *runs], change.waste, [*change.files, *runs])


def without_pending(catalog: Catalog, ids: Collection[str], dead_before: float, done: str = "") -> Change:
    """What commits that ended before their time left of these videos goes, and the note of the one that is done."""
    put: list[Entry] = []
    gone: list[Entry] = []
    waste: list[Attempt] = []
    for one in catalog.pending:
        if one.key == done:
            gone.append(one)
            continue
        theirs = [attempt for video, attempt in one.attempts if video in ids]
        if not theirs or one.began_at > dead_before:
            continue
        waste += theirs
        left = tuple((video, attempt) for video, attempt in one.attempts if video not in ids)
        if left:
            put.append(replace(one, attempts=left))
        else:
            gone.append(one)
    return Change(put, gone, waste)


def taken_over(catalog: Catalog, ledger: Ledger) -> Change:
    """What another store is, but for outcomes, embeddings and runs; CollectionError where something is kept already."""
    if catalog.entries:
        raise rules.not_empty()
    lists = [ListEntry(order, name, bad) for order, (name, _, bad) in enumerate(ledger.lists, 1)]
    rows: dict[str, list[Row]] = {}
    for _, of_list, _ in ledger.lists:
        for row in of_list:
            rows.setdefault(row.video_id, []).append(row)
    videos = [
        VideoEntry(
            order,
            one.id,
            Row("", 0, one.id, one.source, one.title, one.description, one.channel, None, dict(one.extra)),
            tuple(rows.get(one.id, ())),
        )
        for order, one in enumerate(ledger.videos, 1)
    ]
    told = [
        ResultEntry(one.id, told_title=title, told_channel=channel)
        for one, (title, channel) in zip(ledger.videos, ledger.told, strict=True)
        if title or channel
    ]
    encoders = with_encoders(catalog, ledger.encoders, moved=0)
    return Change([*label_entries(catalog, ledger.labels), *lists, *encoders, *told, *videos])


def together(*changes: Change) -> Change:
    """Changes seen at once."""
    return Change(
        [entry for one in changes for entry in one.put],
        [entry for one in changes for entry in one.gone],
        [attempt for one in changes for attempt in one.waste],
        [run for one in changes for run in one.files],
    )
