"""What ``quartzlens.open(DIR)`` gives: a collection's tables for notebooks."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.duplicates import duplicate_groups
from analysis.evaluation import Evaluation, latest_evaluation
from analysis.matching import matching
from analysis.near_fragments import fragments_near
from analysis.neighbours import Moment, Query, neighbours_of
from analysis.tables import videos_table
from analysis.where import parse
from quartzlens.errors import NotEnoughDataError
from quartzlens.records import Fingerprint
from store.collection import current_fingerprint, open_collection


class Opened:
    """A collection opened for reading; tables are read anew at each call."""

    def __init__(self, folder: str | Path) -> None:
        self._collection = open_collection(Path(folder))

    def videos(self) -> pd.DataFrame:
        """One row a video; columns as in ``analysis.tables.videos_table``."""
        return videos_table(self._collection.store)

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
        """
        store, fingerprint, conditions = self._collection.store, self._fingerprint(), parse(where)
        within = matching(store, conditions, fingerprint, run) if conditions.conditions else None
        if isinstance(query, str) and at_seconds is not None:
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
