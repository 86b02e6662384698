"""The contract of the store: what every backend does, and nothing else. Conveniences are free functions over it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import (
    BadRow,
    Embeddings,
    Fingerprint,
    Fragments,
    Info,
    Label,
    Neighbour,
    Result,
    Row,
    Run,
    Video,
)


class Store(Protocol):
    """Everything kept of a collection.

    Readers work while one process ingests; short writes may come from any process.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def add_rows(
        self, source_list: str, rows: Sequence[Row], bad_rows: Sequence[BadRow], *, growing: bool = False
    ) -> None:
        """Make these the rows of ``source_list``, in one transaction.

        New videos begin pending. A row whose label is new or changed adds to the label history (source csv, origin
        ``source_list#number``), a row that is gone takes its label back. Title, description, channel and extra columns
        of a video are those of its first row. Videos without a row, an embedding or a person's label go.

        A ``growing`` list (a playlist, of which only the beginning may be known) loses no row, and its rows are told
        apart by their video: each takes the number and place of the list's earlier row of that video, or comes after
        all others; a video's second row takes the place of its second one. Its bad rows are those of this time alone,
        with the numbers that they are given: they lead to no video, so there is nothing to know them again by.
        """
        ...

    def videos(self, ids: Collection[str] | None = None) -> tuple[Video, ...]:
        """All videos in the order in which they came, or those of ``ids`` (unknown ids are left out)."""
        ...

    def commit(self, results: Sequence[Result]) -> None:
        """Keep outcomes, media facts and all of ``Embedded`` of whole videos in one durable transaction.

        A result replaces the video's earlier one with its fragments, profile and words; those of other fingerprints
        stay, and an outcome other than ok erases none. Embeddings move the revision of their fingerprint. What is kept
        as float16 (fragments, profile) is brought into its range, [-65504, 65504]: no video is refused for that.

        Raises
        ------
        UnknownVideoError
            A result's video was never added; nothing of the batch is kept.
        ValueError
            An ok without an embedding; arrays that are not finite or not of the fingerprint's dimension; a profile
            whose blocks have not the channels that those of the fingerprint have; words that are not one a fragment.
        """
        ...

    def embedded_ids(self, fingerprint: Fingerprint) -> tuple[str, ...]:
        """Ids of the videos that have embeddings of a fingerprint, in the order of ``videos``; cheap."""
        ...

    def embeddings(self, fingerprint: Fingerprint, ids: Collection[str] | None = None, block: str = "") -> Embeddings:
        """Pooled embeddings of a fingerprint in the order of ``videos``; unknown ids are left out.

        With ``block`` the depth profile's entry of that block instead: (n, 2c), means then standard deviations of its c
        channels over time (kept as float16); videos without one are left out, and of no videos it is (0, 0).
        """
        ...

    def fragments(
        self,
        fingerprint: Fingerprint,
        ids: Collection[str] | None = None,
        saying: str = "",
        most: int | None = None,
    ) -> Fragments:
        """Fragment embeddings (kept as float16, given as float32) in the order of ``videos``, then of time.

        With ``saying`` only the fragments in which every word of it was heard (whole words or beginnings, whatever
        their case and accents), best match first; none where it holds no word. It is text, never a query's syntax. How
        matches are weighed is the backend's; equal ones come in the order of ``videos``, then of time. ``most`` of them
        are given, and the vectors of no others read.
        """
        ...

    def search(
        self,
        fingerprint: Fingerprint,
        queries: NDArray[np.float32],
        k: int,
        within: Collection[str] | None = None,
        *,
        fragments: bool = False,
    ) -> list[list[Neighbour]]:
        """Nearest videos by cosine of each query (q, d) float32, best first, ties in the order of ``videos``.

        With ``fragments`` the nearest fragments instead, ties also in the order of time; their similarities are those
        of the embeddings as ``fragments`` gives them.

        ``within`` restricts the answer to those ids, exactly: the k best among them, and never fewer than min(k,
        matching). Without it a backend may search a large collection approximately, as well as its ``info`` says.

        Raises
        ------
        EncoderMismatchError
            The queries' dimension is not the fingerprint's, or the store holds no embeddings of it but of others.
        """
        ...

    def add_labels(self, labels: Sequence[Label], after: int | None = None) -> None:
        """Append to the label history, in one transaction.

        Who decides by the history gives as ``after`` how many entries of it were read: in the same transaction it is
        seen that there are as many still.

        Raises
        ------
        HistoryMovedError
            There are more or fewer than ``after``; nothing is kept.
        UnknownVideoError
            A label's video is not there; nothing is kept.
        """
        ...

    def labels(self) -> tuple[Label, ...]:
        """The whole label history in the order in which it was given."""
        ...

    def remove(self, ids: Collection[str], *, runs: Collection[str] = ()) -> None:
        """Erase videos with their rows, labels, outcomes and embeddings, and ``runs`` with their files.

        Unknown ids are ignored. All go together or not at all, and the runs that stay keep their numbers. What is kept
        in files holds no byte of the videos afterwards, nor of any erased before; files that are derived may, until
        they are made anew, and so may those of another program that keeps the store (``store.removal.where_bytes_stay``
        tells). Where runs alone go, their files are erased and the catalog is not written anew for their numbers.

        Raises
        ------
        CollectionError
            They are gone, but not every byte: the disk is full, or another process reads or writes for too long. The
            next removal makes up for it.
        """
        ...

    def add_run(self, run: Run) -> None:
        """Keep a run with its files; whole or not at all."""
        ...

    def runs(self, run_id: str | None = None) -> tuple[Run, ...]:
        """All runs, oldest first, without their files; or the one of ``run_id`` with its files (empty if unknown)."""
        ...

    def info(self) -> Info:
        """Counts and encoders; cheap."""
        ...


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a store keeps and its contract does not tell word for word.

    Attributes
    ----------
    videos
        All videos in their order with the facts of their rows alone; their outcomes are not told here.
    told
        Title and channel that a site told of each of ``videos``.
    lists
        Name, rows and bad rows of each list, in the order in which they came.
    labels
        The whole label history.
    encoders
        Every encoder, in the order in which they came.
    blocks
        Names of the blocks in the profiles of each encoder, by its key; not compared.
    """

    videos: tuple[Video, ...] = ()
    told: tuple[tuple[str, str | None], ...] = ()
    lists: tuple[tuple[str, tuple[Row, ...], tuple[BadRow, ...]], ...] = ()
    labels: tuple[Label, ...] = ()
    encoders: tuple[Fingerprint, ...] = ()
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)


class Movable(Store, Protocol):
    """A store that can be moved to another backend, and be what another is moved to."""

    def ledger(self) -> Ledger:
        """What the contract does not tell word for word."""
        ...

    def take_over(self, ledger: Ledger) -> None:
        """Be what another store is, but for outcomes, embeddings and runs: those the contract brings.

        In one transaction; revisions begin anew.

        Raises
        ------
        CollectionError
            Something is kept here already.
        """
        ...
