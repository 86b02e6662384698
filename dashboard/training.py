"""Evaluation from the browser: a process of the server's, which a reload or another person finds again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from analysis.runs import evaluations_of
from dashboard import address, charts, children, parts, state
from dashboard.background import Background, How
from dashboard.work import begin, follow
from quartzlens.records import Run

_FOLDS_SHARE = 0.6
_DOING = {
    "looking for copies": "Looking for copies of the same sound",
    "reading the embeddings": "Reading the embeddings",
    "majority": "Beside it: always the largest category",
    "knn": "Beside it: nearest neighbours",
    "logistic": "Beside it: logistic regression",
    "text": "Beside it: title and description",
    "metrics": "Figures and their intervals",
    "model": "Training on all videos, to predict others by",
    "leaks": "Looking for leaks",
    "random split": "The same under a random split",
    "depths": "Judging every block of the encoder",
    "learning curve": "Learning from fewer videos",
}
_STEPS = list(_DOING)
_BEFORE_FOLDS = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person chose; ``after`` keeps the folds of the last evaluation, ``only`` are the ids that count.

    ``preset`` is that of a run that is made anew: the form does not offer it.
    """

    classifier: str
    class_weight: str
    group_by: str
    folds: int
    repeats: int
    seed: int
    report: str
    after: bool
    only: frozenset[str] | None = None
    fold_column: str = ""
    preset: str = ""

    def words_for(self, folder: Path) -> list[str]:
        """The command line that does it for a collection."""
        words = ["evaluate", "-c", str(folder), "--progress", "json", "--classifier", self.classifier]
        words += ["--class-weight", self.class_weight, "--folds", str(self.folds), "--repeats", str(self.repeats)]
        words += ["--seed", str(self.seed), "--report", self.report]
        chosen = {"--group-by": self.group_by, "--fold-column": self.fold_column, "--preset": self.preset}
        words += [word for option, value in chosen.items() if value for word in (option, value)]
        words += ["--only", "-"] if self.only is not None else []
        return words + (["--after", "last"] if self.after else [])


def start(asked: Asked) -> None:
    """Begin, and draw the page anew; say so where another one runs. Classifier then shows what comes of it."""
    for name in ("run", "classifier.run"):
        address.put(name)
    begin(*asked.words_for(state.folder()), given="\n".join(sorted(asked.only or ())))


def show() -> None:
    """Draw how the evaluation goes; where none does, what became of the last begun here, and the last loss curve."""
    running = children.background("evaluate").how is How.RUNNING
    st.subheader("Learning" if running else "Loss", anchor=False)
    if not going():
        _last_loss()


def going() -> bool:
    """Draw how the evaluation goes, or that the last one failed or was stopped; whether one is running."""
    work = children.background("evaluate")
    if work.how is How.RUNNING:
        follow("evaluate", _tell)
        return True
    if work.how is How.FAILED:
        parts.notice(work.complaint or "It ended before it was done: try once more.", "failed")
    elif work.how is How.STOPPED:
        parts.muted("Stopped: nothing of it was kept.", "stopped")
    return False


def _tell(work: Background) -> None:
    share, doing = progress(work.events)
    st.progress(share, text=doing)
    st.button("Stop", on_click=work.stop, width="stretch")
    learned = epochs(work.events)
    if not learned.empty:
        st.altair_chart(charts.loss(long_history(learned), 180), theme=None)


def progress(events: Sequence[Mapping[str, Any]]) -> tuple[float, str]:
    """How far an evaluation is (0..1), and what it does now, in words.

    >>> progress([{"step": "reading the embeddings"}, {"done": 1, "of": 5}])
    (0.12, 'Judging every video by a model that did not learn from it: fold 2 of 5')
    """
    share, doing = 0.0, "Starting"
    for event in events:
        if "of" in event:
            share = _FOLDS_SHARE * event["done"] / event["of"]
            now = min(event["done"] + 1, event["of"])
            doing = f"Judging every video by a model that did not learn from it: fold {now} of {event['of']}"
        elif "step" in event:
            step, _, far = event["step"].partition(", ")
            at = _STEPS.index(step) if step in _STEPS else 0
            share = _FOLDS_SHARE + (1 - _FOLDS_SHARE) * at / len(_STEPS) if at >= _BEFORE_FOLDS else share
            doing = ", ".join(filter(None, (_DOING.get(step, "Working"), far)))
    return share, doing


def epochs(events: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Epochs of the network that learns now: ``epoch``, ``train_loss``, ``valid_loss``."""
    rows: list[tuple[Any, ...]] = []
    for event in events:
        if "epoch" in event:
            rows = [] if event["epoch"] == 1 else rows
            rows.append((event["epoch"], event["train_loss"], event["valid_loss"]))
    return pd.DataFrame(rows, columns=["epoch", "train_loss", "valid_loss"])


def _last_loss() -> None:
    """The loss curve of the newest network that learned on the embeddings of the present encoder."""
    now = state.tables()
    key = now.fingerprint.key if now.fingerprint else ""
    trained = [run.id for run in now.runs if run.fingerprint_key == key]
    history = state.history(trained[-1]) if trained else None
    if history is None or history.empty:
        none = "The curve of the network's training appears here."
        parts.muted("This classifier has no loss curve." if trained else none, "loss")
        return
    st.altair_chart(charts.loss(long_history(history)), theme=None)
    parts.as_table("loss", {"Loss after each epoch, in nats": history})


def last_evaluation(now: state.Tables) -> Run | None:
    """The newest evaluation on the present embeddings; None where there is none."""
    found = evaluations_of(now.runs, now.fingerprint) if now.fingerprint else []
    return found[-1] if found else None


def long_history(history: pd.DataFrame) -> pd.DataFrame:
    """One row for each epoch and part: ``epoch``, ``part`` (training, validation), ``loss``."""
    named = history.rename(columns={"train_loss": "training", "valid_loss": "validation"})
    long = named.melt("epoch", ["training", "validation"], var_name="part", value_name="loss")
    return long.assign(loss=pd.to_numeric(long["loss"])).dropna()
