"""Training and evaluation from the browser: both runs are stored; leaving the page stops them and stores nothing."""

import time

import pandas as pd
import streamlit as st

from analysis.epoch import Epoch
from dashboard import charts, parts, state

REDRAW_SECONDS = 0.25
_ONCE = "Training once, on four fifths of each category"


class LiveLoss:
    """A loss curve that grows while a network learns; redrawn a few times a second at most."""

    def __init__(self) -> None:
        self._place = st.empty()
        self._epochs: list[Epoch] = []
        self._drawn = 0.0

    def __call__(self, epoch: Epoch) -> None:
        """Take the next epoch; the first of another fold begins a new curve."""
        if epoch.epoch == 1:
            self._epochs = []
        self._epochs.append(epoch)
        if time.monotonic() - self._drawn >= REDRAW_SECONDS:
            self.draw()

    def draw(self) -> None:
        """Draw what was heard up to now."""
        self._drawn = time.monotonic()
        if self._epochs:
            history = [(e.epoch, e.train_loss, e.valid_loss) for e in self._epochs]
            table = pd.DataFrame(history, columns=["epoch", "train_loss", "valid_loss"])
            self._place.altair_chart(charts.loss(long_history(table)), theme=None)


def train_and_evaluate(classifier: str, seed: int) -> None:
    """Train once, evaluate out of fold, and store both runs with the labels that they saw."""
    from analysis.classifier import train, training_run
    from analysis.dataset import load_dataset
    from analysis.evaluation import evaluate, evaluation_run

    store, used = state.collection().store, state.fingerprint()
    progress = st.progress(0.0, text="Reading the embeddings")
    seen = store.info().labels
    dataset = load_dataset(store, used)
    progress.progress(0.05, text="Loading torch" if classifier == "original" else _ONCE)
    live = LiveLoss()

    def learned(epoch: Epoch) -> None:
        if epoch.epoch == 1:
            progress.progress(0.1, text=_ONCE)
        live(epoch)

    fragments = store.fragments(used, dataset.ids)
    training = train(dataset, seed, learned, classifier)
    live.draw()

    def folded(done: int, of: int) -> None:
        progress.progress(0.15 + 0.8 * done / of, text=f"Judging every video: fold {min(done + 1, of)} of {of}")

    progress.progress(0.15, text="Judging every video by a model of other channels: fold 1")
    judged = evaluate(dataset, fragments, classifier=classifier, seed=seed, on_fold=folded, on_epoch=live)
    progress.progress(0.98, text="Storing both runs")
    store.add_run(training_run(training, used, seed, seen))
    store.add_run(evaluation_run(judged, used, seed, seen))
    progress.empty()


def last_loss() -> None:
    """The loss curve of the newest training on the embeddings of the present encoder."""
    now = state.tables()
    key = now.fingerprint.key if now.fingerprint else ""
    trained = [run.id for run in now.runs if run.kind == "train" and run.fingerprint_key == key]
    history = state.history(trained[-1]) if trained else None
    if history is None or history.empty:
        parts.muted(
            "The curve of the network's training appears here."
            if not trained
            else "This classifier has no loss curve.",
            "loss",
        )
        return
    st.altair_chart(charts.loss(long_history(history)), theme=None)


def long_history(history: pd.DataFrame) -> pd.DataFrame:
    """One row for each epoch and part: ``epoch``, ``part`` (training, validation), ``loss``."""
    named = history.rename(columns={"train_loss": "training", "valid_loss": "validation"})
    long = named.melt("epoch", ["training", "validation"], var_name="part", value_name="loss")
    return long.assign(loss=pd.to_numeric(long["loss"])).dropna()
