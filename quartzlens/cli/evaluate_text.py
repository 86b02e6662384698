"""What an evaluation or a training came to, for people: tables first, then sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from quartzlens.cli.common import say, show_table
from quartzlens.figures import how_many, percent, spread

_ANSWERED = 0.8
_CONFUSIONS = 3
_FACTS = "Duration, loudness, codec, sample rate and clip position"


def show(metrics: Mapping[str, Any], run_id: str) -> None:
    """Print all of it; parts that the run does not have are left away."""
    _scores(metrics, run_id)
    _baselines(metrics)
    categories = metrics["categories"]
    rows = [(name, *counts) for name, counts in zip(categories, metrics["confusion"], strict=True)]
    show_table(("label \\ predicted", *categories), rows)
    _depths(metrics)
    for sentence in sentences(metrics):
        say(sentence)


def sentences(metrics: Mapping[str, Any]) -> Iterator[str]:
    """What is to be known of the figures, most important first."""
    from analysis.metrics import copies_sentence

    parts = metrics.get("parts")
    if parts:
        yield f"{parts['train']} videos to learn from, {parts['validation']} to stop by, {parts['test']} held out."
    if warning := (metrics.get("groups") or {}).get("warning"):
        yield f"warning: {warning}"
    yield from metrics.get("notes", [])
    yield from _sureness(metrics)
    yield from _confusions(metrics)
    yield from _leaks(metrics.get("leaks") or {})
    told = [(metrics.get(name) or {}).get("sentence") for name in ("original_protocol", "depth_choice")]
    told += [metrics.get("depths_missing"), metrics.get("learning"), copies_sentence(metrics.get("copies"))]
    yield from filter(None, told)
    for one in metrics.get("left_out", []):
        category = "no category" if one["category"] is None else one["category"]
        yield f"left out: {one['n']} x {category}, {one['reason']}"


def _confusions(metrics: Mapping[str, Any]) -> Iterator[str]:
    """The first that exceed chance."""
    for one in metrics.get("top_confusions", [])[:_CONFUSIONS]:
        if round(one["times_chance"] or 0, 1) > 1:
            found = how_many(one["n"], "video")
            yield f"{one['category']} taken for {one['predicted']}: {found}, {one['times_chance']:.1f} times chance"


def _sureness(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Calibration, coverage, repeats and chosen weights."""
    if calibration := metrics.get("calibration"):
        yield f"calibration error {_with_interval(calibration['error'])}"
    for one in metrics.get("coverage", []):
        if one["share"] == _ANSWERED:
            yield (
                f"answering only for the surest {percent(_ANSWERED)} (from a probability of {one['threshold']:.2f} "
                f"on): accuracy {_with_interval(one['accuracy'])}"
            )
    repeats = metrics.get("repeats") or {}
    if repeats.get("spread") is not None:
        each = ", ".join(f"{accuracy:.3f}" for accuracy in repeats["accuracies"])
        yield f"accuracy of each of {repeats['n']} repeats: {each} (standard deviation {repeats['spread']:.3f})"
    if chosen := metrics.get("class_weights_chosen"):
        yield "class weights chosen inside the folds: " + ", ".join(f"{name} {n} times" for name, n in chosen.items())


def _leaks(leaks: Mapping[str, Any]) -> Iterator[str]:
    """What could leak: always the split and copies, of the probes those that warn."""
    if not leaks:
        return
    if leaks["random_split"]:
        yield leaks["random_split"]["sentence"]
    yield leaks["copies"]["sentence"]
    yield leaks["same_channel"]["sentence"]
    probes = leaks["probes"]
    warned = [probe for probe in probes if probe["warning"]]
    yield from (f"warning: {probe['sentence']}" for probe in warned)
    if not any(probe["accuracy"] for probe in probes):
        yield f"{_FACTS} are not known, or the same for all videos, so nothing can be told by them."
    elif not warned:
        yield f"{_FACTS} tell hardly more than chance (--json has each)."


def _scores(metrics: Mapping[str, Any], run_id: str) -> None:
    """The accuracy, and precision and recall of each category, all with their 95 % intervals."""
    rows: list[tuple[object, ...]] = [
        (name, one["n"], *_cells(one["precision"]), *_cells(one["recall"]))
        for name, one in metrics["per_category"].items()
    ]
    rows.append(("macro", metrics["n"], *_cells(metrics["precision_macro"]), *_cells(metrics["recall_macro"])))
    accuracy = _with_interval(metrics["accuracy"], ", 95 % interval {}")
    typer.echo(f"accuracy {accuracy}{_how(metrics)} ({run_id})")
    show_table(("category", "videos", "precision", "95 %", "recall", "95 %"), rows)


def _how(metrics: Mapping[str, Any]) -> str:
    groups = metrics.get("groups")
    if not groups:
        return ""
    return f", {how_many(metrics['folds'], 'fold')} of {how_many(groups['n'], 'group')} by {groups['by']}"


def _baselines(metrics: Mapping[str, Any]) -> None:
    """Each baseline's accuracy, and whether the classifier differs from it."""
    from analysis.evaluation_tables import baselines_table

    table = baselines_table(metrics).to_dict("records")
    rows = [(one["name"], one["value"], spread(one["low"], one["high"]), *_against(one)) for one in table]
    if rows:
        show_table(("beside it", "accuracy", "95 %", "difference", "95 %", "p (groups)", "p (McNemar)"), rows)


def _against(one: Mapping[Any, Any]) -> tuple[object, ...]:
    """By how much the classifier differs from a baseline; of itself nothing."""
    if one["own"]:
        return (None,) * 4
    among = spread(one["difference_low"], one["difference_high"])
    return one["difference"], among, _p(one["bootstrap_p"]), _p(one["mcnemar_p"])


def _p(value: float) -> str:
    """A p value as it is read: of the smallest that it is small.

    >>> _p(0.0004), _p(0.0461)
    ('<0.001', '0.046')
    """
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _depths(metrics: Mapping[str, Any]) -> None:
    """Accuracy of each block by mean and by mean and deviation."""
    judged: dict[str, dict[str, Any]] = {}
    for one in metrics.get("depths", []):
        judged.setdefault(one["block"], {"work": one["work"]})[one["pooling"]] = one["accuracy"]
    rows = [
        (block, *_cells(one["mean"]), *_cells(one["mean_std"]), "" if one["work"] is None else percent(one["work"]))
        for block, one in judged.items()
    ]
    if rows:
        show_table(("depth", "mean", "95 %", "with deviation", "95 %", "work"), rows)


def _cells(metric: Any) -> tuple[object, str]:
    """Value and interval."""
    from analysis.metrics import figure, interval

    return figure(metric), spread(*interval(metric))


def _with_interval(metric: Any, form: str = " ({})") -> str:
    value, among = _cells(metric)
    return f"{value:.3f}" + (form.format(among) if among else "")
