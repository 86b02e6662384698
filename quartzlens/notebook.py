"""What ``quartzlens.open(DIR)`` gives: a collection's tables for notebooks."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.duplicates import duplicate_groups
from analysis.evaluation import Evaluation, latest_evaluation
from analysis.exports import (
    embedded_among,
    errors_table,
    evaluation_of,
    every_column,
    fragments_table,
    labels_table,
    neighbours_table,
    predictions_table,
)
from analysis.matching import asked_within
from analysis.near_fragments import fragments_near
from analysis.neighbours import Moment, Query, neighbours_of
from analysis.runs import runs_table
from analysis.where import parse
from quartzlens.errors import NotEnoughDataError, UsageError
from quartzlens.records import Fingerprint
from store.collection import current_fingerprint, open_collection


class Opened:
    """A collection opened for reading; tables are read anew at each call."""

    def __init__(self, folder: str | Path) -> None:
        self._collection = open_collection(Path(folder))

    def videos(self) -> pd.DataFrame:
        """One row a video, with every column of the lists; columns as in ``analysis.exports.every_column``."""
        return every_column(self._collection.store)

    def labels(self) -> pd.DataFrame:
        """The whole label history, oldest first; columns as in ``analysis.exports.labels_table``."""
        return labels_table(self._collection.store)

    def runs(self) -> pd.DataFrame:
        """Trainings and evaluations that are kept, oldest first; columns as in ``analysis.runs.runs_table``."""
        return runs_table(self._collection.store)

    def predictions(self, run: str | None = None) -> pd.DataFrame:
        """Out-of-fold predictions of an evaluation, by default the latest.

        Returns
        -------
        pandas.DataFrame
            ``id``, ``category`` (the label then), ``predicted``, ``fold``, and one column a category with its
            probability.
        """
        return predictions_table(evaluation_of(self._collection.store, self._fingerprint(), run))

    def errors(self, run: str | None = None) -> pd.DataFrame:
        """What an evaluation got wrong, by default the latest; columns as in ``analysis.exports.errors_table``."""
        store = self._collection.store
        return errors_table(store, evaluation_of(store, self._fingerprint(), run))

    def neighbours(self, k: int = 10, ids: Iterable[str] | None = None) -> pd.DataFrame:
        """The ``k`` nearest of every video, or of ``ids``; as ``analysis.exports.neighbours_table``, also what raises.

        ``ids`` may be one id, or any row of them, such as a column of a table.
        """
        return neighbours_table(self._collection.store, self._fingerprint(), k, ids)

    def fragments(self, ids: Iterable[str] | None = None) -> tuple[pd.DataFrame, NDArray[np.float32]]:
        """Fragments of all videos or of ``ids``, and their embeddings (f, d) float32, row by row, not normalised.

        ``ids`` may be one id, or any row of them, such as a column of a table.

        Returns
        -------
        tuple
            A table with ``id``, ``start_seconds``, ``end_seconds``, ``words``, ``words_probability`` (as of
            ``analysis.exports.fragments_table``), and the array.

        Raises
        ------
        UnknownVideoError
            One of ``ids`` has no embedding.
        """
        store, fingerprint = self._collection.store, self._fingerprint()
        found = store.fragments(fingerprint, embedded_among(store, fingerprint, ids))
        return fragments_table(found), found.matrix

    def embeddings(self) -> tuple[list[str], NDArray[np.float32]]:
        """Ids and their pooled embeddings, (n, d) float32, not normalised; raises NotEnoughDataError before any."""
        embeddings = self._collection.store.embeddings(self._fingerprint())
        return list(embeddings.ids), embeddings.matrix

    def similar(
        self,
        query: Query,
        k: int = 10,
        where: str = "",
        *,
        at_seconds: float | None = None,
        fragments: bool = False,
        run: str | None = None,
    ) -> pd.DataFrame:
        """The nearest videos, or ``fragments``, of a video's id or an embedding (d,).

        Parameters
        ----------
        where
            Conditions such as ``category=food and right=no`` (see ``analysis.where``): exactly the nearest of those
            that they are true of.
        at_seconds
            Search with the fragment of the video at this second.
        run
            Id of the evaluation that ``prediction``, ``fold`` and ``right`` are of; the latest where it is left out.

        Returns
        -------
        pandas.DataFrame
            As of ``analysis.neighbours.neighbours_of``, or of ``analysis.near_fragments.fragments_near``.

        Raises
        ------
        UnknownVideoError
            No video of that id has an embedding.
        UsageError
            ``k`` is below 1, a condition cannot be understood, the video has no such second, or something would be
            ignored: ``at_seconds`` beside an embedding, ``run`` without a condition on ``prediction``, ``fold`` or
            ``right``.
        """
        store, fingerprint = self._collection.store, self._fingerprint()
        within = asked_within(store, parse(where), fingerprint, run)
        if at_seconds is not None:
            if not isinstance(query, str):
                raise UsageError("at_seconds is a second of a video of the collection: give its id, or leave it away.")
            query = Moment(query, at_seconds)
        return (fragments_near if fragments else neighbours_of)(store, fingerprint, query, k, within)

    def duplicates(self) -> pd.DataFrame:
        """Videos that are copies of one another; columns as in ``analysis.duplicates.duplicate_groups``."""
        return duplicate_groups(self._collection.store, self._fingerprint())

    def evaluation(self) -> Evaluation | None:
        """The latest out-of-fold evaluation with its tables; None before any."""
        found = latest_evaluation(self._collection.store, self._fingerprint())
        return found[1] if found else None

    def _fingerprint(self) -> Fingerprint:
        fingerprint = current_fingerprint(self._collection)
        if fingerprint is None:
            raise NotEnoughDataError(f"{self._collection.folder} holds no embeddings yet: run `quartzlens ingest`.")
        return fingerprint
