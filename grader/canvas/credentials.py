"""Whom the token is for and where it comes from. It is never an argument, and stands in no text that leaves here.

A host is confirmed once by a person and remembered in the user's state folder (`$EARWITNESS_STATE`), never by a file
that somebody else may have written. A token is looked for in `$CANVAS_TOKEN`, then in the file that
`$CANVAS_TOKEN_FILE` names (for its owner alone), then in the keyring under `earwitness` and the host.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from basics.errors import InputError, Problem, Unavailable
from basics.files import SECRET, read_bytes, read_text, write_whole
from basics.json_source import read_object
from basics.messages import Message, say
from grader.marking.anchor import state_folder

TOKEN, TOKEN_FILE, HOST = "CANVAS_TOKEN", "CANVAS_TOKEN_FILE", "CANVAS_HOST"
KEYRING = "earwitness"
CONFIRMED = "canvas-hosts.json"
MOST_BYTES = 1 << 16
LOOPBACK = "localhost"
SENDABLE = re.compile(r"[\x21-\x7e]+")
"""What a header can hold of a token; anything else would be shown in the error of whoever sends it."""
HOW = say(
    "make one in the LMS (Account > Settings > New Access Token) and put it into ${token_variable}, into a file of "
    "mode 0600 named by ${file_variable}, or into the keyring (`keyring set {service} HOST`); where the school gives "
    "none, take the files by hand (docs/grading_day.md)",
    token_variable=TOKEN,
    file_variable=TOKEN_FILE,
    service=KEYRING,
)


class Token:
    """A secret text. Only `reveal` says it; its length and its last characters are nobody's business either."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Token(…)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a token is not written anywhere")

    def reveal(self) -> str:
        """The text itself, for the one header it is meant for."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """`text` without the token, should an LMS repeat it."""
        return text.replace(self._text, "…")


@dataclass(frozen=True)
class Host:
    """The address of an LMS: `origin` is scheme, name and port, and nothing after them."""

    origin: str

    @property
    def name(self) -> str:
        return urlsplit(self.origin).netloc

    @property
    def loopback(self) -> bool:
        """Whether it is this machine itself, the only one that may be spoken to without encryption."""
        return is_loopback(urlsplit(self.origin).hostname or "")


def is_loopback(name: str) -> bool:
    """Whether a host's name is this machine: `localhost`, 127.0.0.0/8, ::1."""
    try:
        return name == LOOPBACK or ip_address(name).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """`https://host` or `https://host:port` of an address, in lower case, default ports left out."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    name = (parts.hostname or "").lower()
    name = f"[{name}]" if ":" in name else name
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{name}" + ("" if port in (None, usual) else f":{port}")


def host(text: str) -> Host:
    """The host that somebody names: `cool.ntu.edu.tw`, with `https://` or without.

    Raises InputError for anything but a bare address, and for http to any other machine than this one.
    """
    given = text.strip()
    url = given if "://" in given else f"https://{given}"
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and not (parts.username or parts.query or parts.fragment or parts.path.strip("/"))
        sound = sound and re.fullmatch(r"[A-Za-z0-9.:-]+", parts.hostname or "") is not None
        _ = parts.port
    except ValueError:
        sound = False
    if not sound or parts.scheme not in ("https", "http"):
        what = say("is not the address of an LMS: expected a name such as cool.ntu.edu.tw, and nothing after it")
        raise InputError(
            Problem(
                say("host {host!r}", host=_without_user(given)),
                what,
                say("correct --host or ${variable}", variable=HOST),
            )
        )
    found = Host(origin_of(url))
    if parts.scheme == "http" and not found.loopback:
        what = say("would be spoken to in the clear, and the token with it")
        raise InputError(
            Problem(found.origin, what, say("use https; http is for this machine itself (127.0.0.1) alone"))
        )
    return found


def _without_user(text: str) -> str:
    """The address without what stands before an `@`, which may be a secret."""
    return re.sub(r"(^|//)[^/@]*@", r"\1…@", text)


def confirm(wanted: Host, ask: Callable[[Message], bool], *, trusted: bool = False) -> None:
    """Have a person confirm a host once. Raises InputError where it is not confirmed."""
    path = state_folder() / CONFIRMED
    known = _confirmed(path)
    if wanted.origin in known:
        return
    if not trusted and not ask(say("Send your token to {origin}?", origin=wanted.origin)):
        what = say("was not confirmed, and nothing was sent there")
        raise InputError(Problem(wanted.origin, what, say("answer y where it is the LMS, or say --trust-host")))
    known[wanted.origin] = datetime.now(UTC).replace(microsecond=0).isoformat()
    write_whole(path, (json.dumps({"confirmed": known}, indent=1) + "\n").encode(), mode=SECRET)


def _confirmed(path: Path) -> dict[str, str]:
    if not os.path.lexists(path):
        return {}
    data = read_object(path, most=MOST_BYTES).get("confirmed")
    if not isinstance(data, dict):
        raise InputError(Problem(str(path), say("does not list the hosts that were confirmed"), say("remove it")))
    return {str(origin): str(when) for origin, when in data.items()}


def token(wanted: Host) -> Token:
    """The user's token for this host.

    Raises InputError for a file that others may read and for what cannot be a token, Unavailable where there is none.
    """
    if text := os.environ.get(TOKEN, "").strip():
        return _sound(text, f"${TOKEN}")
    if named := os.environ.get(TOKEN_FILE, "").strip():
        return _from_file(Path(named).expanduser())
    if text := _from_keyring(wanted).strip():
        return _sound(text, say("the keyring, {service} {host}", service=KEYRING, host=wanted.name))
    raise Unavailable(say("there is no token for {host}", host=wanted.name), HOW)


def _sound(text: str, where: str) -> Token:
    if not SENDABLE.fullmatch(text):
        what = say("does not hold a token: there are spaces, line ends or other characters in it that no token has")
        raise InputError(Problem(where, what, say("copy the token alone")))
    return Token(text)


def _from_file(path: Path) -> Token:
    where = f"${TOKEN_FILE}, {path}"
    read_bytes(path, most=MOST_BYTES)  # says what is wrong with it before its permissions are looked at
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        mode = stat.S_IMODE(path.stat().st_mode)
        what = say("has mode {mode:04o}: others than its owner can read the token", mode=mode)
        raise InputError(
            Problem(where, what, say("chmod 600 {path}; and make a new token if they may have read it", path=path))
        )
    text = read_text(path, most=MOST_BYTES).strip()
    if not text:
        raise InputError(Problem(where, say("is empty"), say("write the token into it")))
    return _sound(text, where)


def _from_keyring(wanted: Host) -> str:
    """What the keyring has; nothing where there is no keyring, or a locked one."""
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(KEYRING, wanted.name) or ""
    except (KeyringError, RuntimeError, OSError):
        return ""
