"""Maps while they are laid out: in a thread of their own, so that progress is seen, it can be stopped and reloaded."""

import threading
from collections.abc import Callable

import streamlit as st

from analysis.projected_points import Progress
from analysis.projection import Layout, Projection
from analysis.projection_kept import cached_projection
from dashboard import state
from dashboard.turns import turn
from quartzlens.records import Fingerprint
from store.collection import Collection

_LOOK_SECONDS = 0.2
_ONE_AT_A_TIME = threading.Lock()  # numba's threads are not made for two callers


class _Stopped(BaseException):
    """A person stopped it; never leaves this module."""


class Work:
    """One map that is being laid out for all browsers that wait for it."""

    def __init__(self, compute: Callable[[Progress], Projection]) -> None:
        self.share, self.doing = 0.0, "waiting for another map"
        self._compute, self._stop = compute, threading.Event()
        self._found: Projection | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="map")
        self._thread.start()

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it before it was done."""
        return self._stop.is_set() and self._found is None

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        return self._error is not None

    def ended(self, seconds: float = _LOOK_SECONDS) -> bool:
        """Whether it has come to an end, after waiting for so long."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Stop it as soon as it next tells how far it is, or while it waits."""
        self._stop.set()

    def result(self) -> Projection | None:
        """The map; None where it was stopped. Raises what went wrong."""
        if self._error is not None:
            raise self._error
        return self._found

    def _run(self) -> None:
        try:
            with turn(_ONE_AT_A_TIME, lambda: self._told(0.0, self.doing)):
                self._told(0.0, "reading the embeddings")
                self._found = self._compute(self._told)
        except _Stopped:
            pass
        except Exception as error:  # noqa: BLE001 (raised again in the thread of the page)
            self._error = error

    def _told(self, share: float, doing: str) -> None:
        self.share, self.doing = share, doing
        if self._stop.is_set():
            raise _Stopped


def projection(layout: Layout, *, fragments: bool) -> Projection | None:
    """The map of the collection as it is now; draws its progress, and None after it was stopped."""
    key = (*state.of_embeddings(state.fingerprint()), layout, fragments)
    work = _work(*key, state.collection())
    if not work.ended(0.0):
        _wait(work)
    if work.stopped:
        _stopped(key)
        return None
    if work.failed:
        _work.clear(*key, state.collection())
    return work.result()


def again(layout: Layout, *, fragments: bool) -> None:
    """Lay a map out anew that new videos were only placed in."""
    key = (*state.of_embeddings(state.fingerprint()), layout, fragments)
    _anew(*key).append(True)
    _work.clear(*key, state.collection())


@st.cache_resource(show_spinner=False, max_entries=6)
def _work(
    place: str,
    used: Fingerprint,
    revision: int,
    layout: Layout,
    fragments: bool,
    _opened: Collection,
) -> Work:
    asked = _anew(place, used, revision, layout, fragments)
    anew = bool(asked)
    asked.clear()
    return Work(
        lambda tell: cached_projection(
            _opened.store, used, _opened.index_folder, layout, fragments=fragments, anew=anew, tell=tell
        )
    )


@st.cache_resource(show_spinner=False, max_entries=6)
def _anew(place: str, used: Fingerprint, revision: int, layout: Layout, fragments: bool) -> list[bool]:  # noqa: ARG001
    return []


def _wait(work: Work) -> None:
    """Draw how far it is until it has ended."""
    place = st.empty()
    with place.container(key="panel-map-work", border=True, gap="small"):
        bar = st.progress(0.0)
        st.button("Stop", on_click=work.stop, key="map-stop")
        while not work.ended():
            bar.progress(work.share, f"Drawing the map: {work.doing}")
    place.empty()


def _stopped(key: tuple[object, ...]) -> None:
    """Say that it was stopped, with the way back."""
    with st.container(key="notice-map-stopped", gap="small"):
        st.text("Drawing the map was stopped. Choose another layout, or go on.")
        st.button("Go on", on_click=_work.clear, args=(*key, state.collection()), type="primary")
