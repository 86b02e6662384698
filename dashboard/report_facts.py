"""What a report tells of its run: what was evaluated, how good it is, and what is to be known of the figures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.evaluation_tables import baselines_table, coverage_table, overall_table, reliability_table
from analysis.metrics import copies_sentence, figure, interval, scores_table
from analysis.survivorship import survivorship
from analysis.tables import PENDING
from dashboard.report_subject import Subject
from dashboard.scores import folds
from dashboard.wording import encoder_words, meaning
from quartzlens.figures import how_many, spread
from quartzlens.records import LabelSource
from store.base import Store

_MOST_LISTS = 5
_DEMO = "Embedded by the demo checkpoint, trained on generated speech: what it hears in other videos is worth little."
_GENERATED = "These are generated videos: made-up speech, sounds, titles and channels."


def facts(subject: Subject) -> dict[str, Any]:
    """What the template needs of it, by name."""
    metrics: Mapping[str, Any] = subject.evaluation.metrics
    outcomes = Counter(video.outcome.value if video.outcome else PENDING for video in subject.videos)
    accuracy = metrics["accuracy"]
    return {
        "accuracy": (figure(accuracy), spread(*interval(accuracy)), how_many(int(metrics["n"]), "video")),
        "grouped_by": str((metrics.get("groups") or {}).get("by") or "channel"),
        "facts": list(_facts(subject)),
        "outcomes": [(name, n, meaning(name)) for name, n in outcomes.most_common()],
        "survivors": survivorship(subject.videos).sentence,
        "overall": overall_table(metrics).to_dict("records"),
        "categories": scores_table(metrics).to_dict("records"),
        "beside": baselines_table(metrics).to_dict("records"),
        "coverage": coverage_table(metrics).to_dict("records"),
        "reliability": reliability_table(metrics).to_dict("records"),
        "notices": list(_notices(subject)),
        "known": list(_known(metrics)),
    }


def _facts(subject: Subject) -> Iterator[tuple[str, str]]:
    run, encoder, settings = subject.run, subject.fingerprint, subject.run.settings
    yield "Collection", subject.name
    yield "Run", run.id
    yield "When", f"{run.created_at[:10]} {run.created_at[11:16]} UTC"
    yield "Classifier", str(subject.evaluation.metrics["classifier"])
    yield "Judged by", folds(run)
    if (repeats := settings.get("repeats")) not in {None, 1}:
        yield "Repeats", str(repeats)
    if (weight := settings.get("class_weight")) not in {None, "none"}:
        yield "Class weights", str(weight)
    yield "Seed", str(run.seed)
    yield "Labels", f"the first {how_many(run.labels_seen, 'entry', 'entries')} of the label history"
    yield "Lists", _lists(subject.store)
    yield "Encoder", encoder_words(encoder)
    yield "Heard", f"{encoder.start_seconds:g} to {encoder.start_seconds + encoder.clip_seconds:g} s of each video"
    yield "Fingerprint", encoder.key
    if isinstance(versions := settings.get("versions"), dict):
        yield "Versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def _lists(store: Store) -> str:
    """Names of the lists that labels came from, without their folders."""
    origins = {one.origin.rpartition("#")[0] for one in store.labels() if one.source is LabelSource.CSV}
    names = sorted({Path(origin).name for origin in origins})
    more = f" and {len(names) - _MOST_LISTS:,} more" if len(names) > _MOST_LISTS else ""
    return f"{', '.join(names[:_MOST_LISTS])}{more}" or "none with labels"


def _notices(subject: Subject) -> Iterator[str]:
    """What changes the meaning of everything below."""
    if any(video.extra.get("generated") == "yes" for video in subject.videos):
        yield _GENERATED
    if "demo" in {subject.checkpoint, subject.fingerprint.checkpoint_name}:
        yield _DEMO


def _known(metrics: Mapping[str, Any]) -> Iterator[str]:
    """What is to be known of the figures: warnings first."""
    if warning := (metrics.get("groups") or {}).get("warning"):
        yield warning
    yield from metrics.get("notes") or []
    if said := copies_sentence(metrics.get("copies")):
        yield said
    leaks = metrics.get("leaks") or {}
    yield from (probe["sentence"] for probe in leaks.get("probes") or [] if probe["warning"])
    for one in metrics.get("left_out") or []:
        yield f"Left out: {one['n']} of {one['category'] or 'no category'} ({one['reason']})"
