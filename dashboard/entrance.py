"""The entrance of a dashboard that others can reach: a password, or a proxy that lets people in; else nobody enters."""

import hashlib
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic, sleep

import streamlit as st

from analysis.label_words import LONGEST_PERSON
from dashboard import parts, state
from dashboard.state import Key
from quartzlens.entrance import Locks, check_entrance, is_password, is_secret
from quartzlens.errors import UsageError

PROXY_HEADER = "X-Quartzlens-Proxy-Secret"
PERSON_HEADER = "X-Quartzlens-Person"
STAY_SECONDS = 12 * 3600.0
LONGEST_WAIT_SECONDS = 60.0
PAUSE_SECONDS = 1.0
FREE_FAILURES = 2
_COOKIE = """
export default function (component) {
  const {name, value} = component.data;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; path=/; SameSite=Strict${secure}`;
}
"""


@dataclass(slots=True)
class Door:
    """Who has entered this server, by the hash of what their browser was given, and one guess at a time."""

    entered: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def try_password(self, password: str, password_hash: str) -> bool:
        """Compare; a wrong one keeps everybody's next guess waiting, from however many browsers they come."""
        with self.lock:
            right = is_password(password, password_hash)
            if not right:
                sleep(PAUSE_SECONDS)
            return right

    def give_token(self) -> str:
        """A new token that lets a browser in until it is closed, for half a day at most."""
        token = secrets.token_urlsafe(32)
        now = monotonic()
        kept = {one: until for one, until in self.entered.items() if until > now}
        self.entered = {**kept, _digest(token): now + STAY_SECONDS}
        return token

    def knows(self, token: str | None) -> bool:
        """Whether a token was given and is not over."""
        return bool(token) and self.entered.get(_digest(str(token)), 0.0) > monotonic()


_DOOR = Door()
"""This server's. Not in Streamlit's cache, which any browser may empty by a message before it has entered."""


def let_in() -> bool:
    """Whether this browser may see the collection; draws what is asked of it where it may not yet."""
    locks = state.settings().locks
    try:
        check_entrance(_address(), locks)
    except UsageError as error:
        parts.heading("quartzlens")
        parts.failure(str(error))
        return False
    if not locks.any or is_secret(_header(), locks.proxy_secret) or _entered():
        return True
    if not locks.password_hash:
        parts.heading("quartzlens")
        parts.failure("Come in by the proxy that this dashboard is served behind: this way is closed.")
        return False
    _ask(locks)
    return False


def told_person() -> str:
    """The name that the proxy tells of who is let in; empty where there is none, or it has not proved itself."""
    if not is_secret(_header(), state.settings().locks.proxy_secret):
        return ""
    told = _person_header() or ""
    with suppress(UnicodeError):  # headers are read as Latin-1, and proxies write UTF-8
        told = told.encode("latin-1").decode()
    return told[:LONGEST_PERSON]


def remember() -> None:
    """Give the browser that has just entered its token, so that a reload and a copied link let it in again."""
    token = st.session_state.get(Key.ENTERED)
    if token:
        component = st.components.v2.component("entrance", html="<span></span>", js=_COOKIE)
        component(data={"name": _cookie_name(), "value": token}, key="one-entrance")


def _ask(locks: Locks) -> None:
    with st.container(key="entrance", width=380):
        parts.heading("quartzlens", "This dashboard asks for its password.")
        with st.form("entrance", border=False):
            password = st.text_input("Password", type="password")
            asked = st.form_submit_button("Enter", type="primary", width="stretch")
        if asked and _may_try() and _is_right(password, locks.password_hash):
            st.rerun()
        if told := st.session_state.get(Key.REFUSED):
            parts.failure(told)


def _may_try() -> bool:
    """Whether this browser has waited long enough since its last wrong password."""
    wait = float(st.session_state.get(Key.WAIT_UNTIL, 0.0)) - monotonic()
    if wait > 0:
        st.session_state[Key.REFUSED] = f"Too many wrong passwords: wait {wait + 0.5:.0f} s, then try again."
    return wait <= 0


def _is_right(password: str, password_hash: str) -> bool:
    if _DOOR.try_password(password, password_hash):
        st.session_state[Key.ENTERED] = _DOOR.give_token()
        return True
    failures = int(st.session_state.get(Key.FAILURES, 0)) + 1
    st.session_state[Key.FAILURES] = failures
    wait = min(2.0 ** (failures - FREE_FAILURES), LONGEST_WAIT_SECONDS) if failures > FREE_FAILURES else 0.0
    st.session_state[Key.WAIT_UNTIL] = monotonic() + wait
    st.session_state[Key.REFUSED] = "That is not the password."
    return False


def _entered() -> bool:
    tokens = (st.session_state.get(Key.ENTERED), st.context.cookies.get(_cookie_name()))
    return any(_DOOR.knows(token) for token in tokens)


def _address() -> str | None:
    """The address that this server listens on; None for all."""
    address: str | None = st.get_option("server.address")
    return address


def _header() -> str | None:
    return st.context.headers.get(PROXY_HEADER)


def _person_header() -> str | None:
    return st.context.headers.get(PERSON_HEADER)


def _cookie_name() -> str:
    return f"quartzlens-{st.get_option('server.port')}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
