"""What a classifier is worth, and the runs that say so."""

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from analysis.evaluation import Evaluation, scores_table, top_confusions
from analysis.evaluation_tables import baselines_table, overall_table
from analysis.metrics import copies_sentence, interval
from analysis.runs import evaluations_of
from dashboard import address, asked_run, category_scores, charts_evaluation, parts, report_file, state, working_set
from dashboard.wording import encoder_words
from quartzlens.figures import percent, spread
from quartzlens.records import Json, Run

NAMES = {"accuracy": "accuracy", "precision_macro": "precision, macro", "recall_macro": "recall, macro"}
NAMES |= {"calibration_error": "calibration error"}
_TIPS = {"calibration_error": "How far the confidences lie from the shares that are right: 0 is best."}
_CHANCE = "Times chance: how many times as often as if the errors of a category went to the others by their size."


def value(results: Mapping[str, Json], name: str) -> float:
    """A figure of a run's results; NaN where it has none.

    >>> value({"accuracy": {"value": 0.5}}, "accuracy")
    0.5
    """
    found = results.get(name)
    number = found.get("value") if isinstance(found, dict) else None
    return float(number) if isinstance(number, int | float) else float("nan")


def between(results: Mapping[str, Json], name: str) -> str:
    """The 95 % interval of a figure, in brackets; empty in runs that are older than intervals.

    >>> between({"accuracy": {"value": 0.5, "low": 0.42, "high": 0.58}}, "accuracy")
    ' (0.42 to 0.58)'
    """
    said = spread(*interval(results.get(name)))
    return f" ({said})" if said else ""


def folds(run: Run) -> str:
    """How the videos were dealt into folds, in words."""
    groups, n = run.results.get("groups"), run.results.get("folds")
    if column := run.settings.get("fold_column"):
        return f"published folds (column {column})"
    by = str(groups["by"]) if isinstance(groups, dict) and groups.get("by") else "channel"
    return f"{n} folds, each video for itself" if by == "video" else f"{n} folds by {by}"


def run_words(run: Run) -> str:
    """A run in a few words: when, what, and how good."""
    when = f"{run.created_at[:10]} {run.created_at[11:16]}"
    accuracy = value(run.results, "accuracy")
    return f"{when}, {run.settings.get('classifier') or run.kind}, {accuracy:.3f}"


def runs_words(runs: Sequence[Run]) -> dict[str, str]:
    """Id -> ``run_words`` of each run, with its id besides where another one's are the same."""
    words = {run.id: run_words(run) for run in runs}
    often = Counter(words.values())
    return {run_id: f"{said} ({run_id})" if often[said] > 1 else said for run_id, said in words.items()}


def line(run: Run, evaluation: Evaluation) -> str:
    """Which run it is and how good, in a line."""
    metrics = evaluation.metrics
    accuracy = f"accuracy {value(metrics, 'accuracy'):.3f}{between(metrics, 'accuracy')}"
    of = f" · {metrics['n']} videos{chosen(run)}" if chosen(run) else ""
    return f"{run.id} · {metrics['classifier']} · {folds(run)} · {accuracy}{of}"


def caption(run: Run, evaluation: Evaluation) -> None:
    """Which run it is, in a line."""
    metrics = evaluation.metrics
    n = f"{metrics['n']} videos{chosen(run)}"
    parts.muted(f"{run.id} · {metrics['classifier']} · {folds(run)} · {n}", "run")


def chosen(run: Run) -> str:
    """That a run is of chosen videos alone, in words; empty where it is of all."""
    return " of a choice" if run.settings.get("only") else ""


def of_the_working_set(found: asked_run.Judged | None) -> None:
    """Draw the working set's chip, and how many of its videos an evaluation had right; nothing without a set."""
    if found is None or working_set.current() is None:
        working_set.chip()
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        working_set.chip(state.tables().by_id)
        _right_in_the_working_set(found[1])


def _right_in_the_working_set(evaluation: Evaluation) -> None:
    judged = working_set.narrowed(evaluation.predictions)
    right = int((judged["category"] == judged["predicted"]).sum())
    whole = value(evaluation.metrics, "accuracy")
    share = f", {percent(right / len(judged))}, against {percent(whole)} of all" if len(judged) else ""
    parts.muted(f"Of the working set {right:,} of {len(judged):,} that were judged are right{share}.", "set-right")


def show(run: Run, evaluation: Evaluation) -> None:
    """Draw an evaluation's figures beside its baselines, those of each category, and what is to be known of them."""
    metrics = evaluation.metrics
    table = scores_table(metrics)
    never = ~table["category"].isin(evaluation.predictions["predicted"].unique())
    for name in ("precision", "precision_low", "precision_high"):
        table[name] = table[name].mask(never)
    st.subheader("Out of fold", anchor=False)
    caption(run, evaluation)
    with st.container(horizontal=True, gap="large"):
        for name, label in NAMES.items():
            words = f"{label}{between(metrics, name)}"
            parts.figure(f"{value(metrics, name):.3f}", words, name, tip=_TIPS.get(name))
    _said(metrics)
    _beside(metrics)
    category_scores.draw(table)
    if never.any():
        parts.muted(f"Never predicted, so without a precision: {', '.join(table['category'][never])}", "never")
    if said := copies_sentence(metrics.get("copies")):
        parts.muted(said, "copies")
    _left_out(metrics.get("left_out"))
    tables = {"All figures": overall_table(metrics), "Beside it": baselines_table(metrics)}
    parts.as_table("figures", {**tables, category_scores.TITLE: category_scores.figures(table)})
    with st.container(horizontal=True, horizontal_alignment="right"):
        report_file.button(run.id)
        if st.button("See the errors"):
            address.go("errors", **({"run": run.id} if asked_run.is_older(run.id) else {}))


def _said(metrics: Mapping[str, Json]) -> None:
    """Warnings and notes of the evaluation."""
    groups, notes = metrics.get("groups"), metrics.get("notes")
    warning = groups.get("warning") if isinstance(groups, dict) else None
    said = [str(warning)] if warning else []
    said += [str(note) for note in notes] if isinstance(notes, list) else []
    if said:
        parts.notice("\n".join(said), "notes")


def _beside(metrics: Mapping[str, Json]) -> None:
    table = baselines_table(metrics)
    if table.empty:
        return
    st.subheader("Beside it, by the same folds", anchor=False)
    st.altair_chart(charts_evaluation.beside(table), theme=None)
    others = table[~table["own"]]
    said = {
        "Surely better than it": others["difference_high"] < 0,
        "Not surely different from it": (others["difference_low"] <= 0) & (others["difference_high"] >= 0),
    }
    for words, which in said.items():
        if which.any():
            parts.muted(f"{words}: {', '.join(others['name'][which])}.", words.split()[0].lower())


def _left_out(left_out: Json) -> None:
    rows = [row for row in left_out if isinstance(row, dict)] if isinstance(left_out, list) else []
    if not rows:
        return
    with st.container(key="muted-left-out", gap="xsmall"):
        for row in rows:
            st.text(f"Left out: {row['n']} of {row['category'] or 'no category'} ({row['reason']})")


def beyond_chance(evaluation: Evaluation, categories: Sequence[str]) -> None:
    """Draw the pairs of categories that are confused more often than by chance; with two there is nothing to tell."""
    if len(categories) < 3:
        return
    table = top_confusions(evaluation.confusion, list(categories))
    table = table[table["times_chance"] > 1]
    with parts.panel("beyond"):
        st.subheader("Most confused beyond chance", anchor=False, help=_CHANCE)
        with st.container(key="muted-beyond", gap="xsmall"):
            for row in table.head(3).itertuples():
                st.text(f"{row.category} → {row.predicted}  {row.n}  ·  {row.times_chance:.1f} times chance")
            if table.empty:
                st.text("None beyond chance.")


def other_encoder(now: state.Tables) -> str:
    """A sentence on evaluations that were made with another encoder than the present one; empty where there are none.

    For views that have no evaluation of the present encoder to show.
    """
    judged = [run.fingerprint_key for run in evaluations_of(now.runs, None)]
    if not judged:
        return ""
    return f"The last evaluation that is kept is of another encoder ({encoders(now).get(judged[-1], judged[-1])})."


def encoders(now: state.Tables) -> dict[str, str]:
    """Key of each encoder that embedded something -> what it is, in a few words."""
    return {one.key: encoder_words(one) for one in now.info.encoders}
