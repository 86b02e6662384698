"""What ``quartzlens.open(DIR)`` gives: a collection's tables for notebooks."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.duplicates import duplicate_groups
from analysis.evaluation import Evaluation, latest_evaluation
from analysis.neighbours import neighbours_of
from analysis.tables import videos_table
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

    def similar(self, video_id: str, k: int = 10) -> pd.DataFrame:
        """The nearest videos of one; columns as in ``analysis.neighbours.neighbours_of``."""
        return neighbours_of(self._collection.store, self._fingerprint(), video_id, k)

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
