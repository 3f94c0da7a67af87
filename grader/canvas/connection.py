"""The connection to an LMS: where the token goes, what is tried again, and one message for each refusal.

The session below stands between canvasapi and the network, so that all of it holds for every request that canvasapi
makes: the token is put on requests to the confirmed host and on nothing else, whatever redirects say; nothing is sent
in the clear; requests to the API follow no redirect; reads are tried again where that can help, writes only where the
LMS says that it did not carry them out.

Sources, in Canvas's public API documentation (https://canvas.instructure.com/doc/api/): `file.oauth.html` (the header),
`file.throttling.html` (403 "Rate Limit Exceeded", `X-Rate-Limit-Remaining`), `file.pagination.html` (`Link`),
`file.file_uploads.html` (uploads in three steps, the second without the token).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from canvasapi.paginated_list import PaginatedList
from canvasapi.requester import Requester
from canvasapi.util import combine_kwargs
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException, SSLError, Timeout

from basics.errors import InputError, Problem
from basics.files import LARGEST
from basics.messages import Message, say
from basics.visible import visible
from grader.canvas.credentials import HOW, Host, Token, is_loopback, origin_of

API = "/api/v1/"
TIMEOUT = (10.0, 120.0)
"""Seconds to connect, and to wait for the next byte."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try."""
LONGEST_PAUSE = 60.0
"""Seconds to wait at most where the LMS says how long (`Retry-After`)."""
QUOTA, BREATH = 50.0, 1.0
"""Where so little of the quota is left (a full one is 700), wait so many seconds before the next request."""
MOST_REDIRECTS = 5
MOST_SAID = 200
TOO_MUCH = b"Rate Limit Exceeded"

logging.getLogger("canvasapi").setLevel(logging.WARNING)  # it would write what is sent and answered into logs


class Refused(InputError):
    """The LMS did not do what it was asked for; `status` is that of HTTP, 0 where there was no answer."""

    def __init__(self, problem: Problem, status: int = 0) -> None:
        super().__init__(problem)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems[0], self.status)


@dataclass(frozen=True)
class Fault:
    """What went wrong with one try: the error, whether another may help, and how long to wait if the LMS says so."""

    error: Refused
    again: bool = False
    wait: float | None = None


class Session(requests.Session):
    """All requests to one LMS, and to where it keeps files."""

    def __init__(self, host: Host, token: Token) -> None:
        super().__init__()
        self.host, self._token, self._silent, self._low = host, token, False, False
        self.max_redirects = MOST_REDIRECTS
        self.headers["User-Agent"] = "earwitness"

    def __repr__(self) -> str:
        return f"Session({self.host.origin})"

    def send(self, request: Any, **more: Any) -> Any:
        """Send one request, a redirect's too. Raises Refused for one that would go out in the clear."""
        request.headers.pop("Authorization", None)
        where = urlsplit(request.url)
        if where.scheme != "https" and not (self.host.loopback and is_loopback(where.hostname or "")):
            what = say("sends to {origin}, which is not encrypted", origin=origin_of(request.url))
            raise Refused(Problem(self.host.origin, what, say("ask the LMS's administrator")))
        if origin_of(request.url) == self.host.origin and not self._silent:
            request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return super().send(request, **more)

    @contextmanager
    def without_token(self) -> Iterator[None]:
        """Not even the LMS itself gets the token meanwhile."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def request(self, method: Any, url: Any, *arguments: Any, **more: Any) -> Any:
        """An answer that is one: complete, of the API, with success. Raises Refused, with one message for each cause.

        Every method is tried again where the LMS limits the rate, for it did nothing then; GET also where the LMS or
        the network fails, or an answer is cut off.
        """
        more |= {"timeout": TIMEOUT, "allow_redirects": more.pop("follow", False)}  # canvasapi's calls ask for them
        for pause in (*PAUSES, None):
            if self._low:
                time.sleep(BREATH)
            try:
                answer = super().request(method, url, *arguments, **more)
            except RequestException as error:
                fault: Fault | None = self._unanswered(method, url, error)
            else:
                self._low = _number(answer.headers.get("X-Rate-Limit-Remaining"), QUOTA) < QUOTA
                fault = self._fault(method, url, answer)
            if fault is None:
                return answer
            if not fault.again or pause is None:
                raise fault.error from None
            time.sleep(min(pause if fault.wait is None else fault.wait, LONGEST_PAUSE))
        raise AssertionError("the last try returns or raises")

    def _unanswered(self, method: str, url: str, error: RequestException) -> Fault:
        """What a request without a whole answer comes to; the error itself is not shown, it may hold what was sent."""
        place = self._place(method, url)
        if isinstance(error, SSLError):
            what = say("has a certificate that cannot be verified, so nobody knows who answers")
            return Fault(
                Refused(Problem(origin_of(url), what, say("check --host, the clock, and the network's proxy")))
            )
        cut = isinstance(error, ChunkedEncodingError | ContentDecodingError)
        what = say("sent an answer that is cut off") if cut else say("does not answer")
        what = say("took too long to answer") if isinstance(error, Timeout) else what
        remedy = say("check the network, then run the same command again: it goes on from what is there")
        return Fault(Refused(Problem(place, what, remedy)), again=method == "GET")

    def _fault(self, method: str, url: str, answer: Any) -> Fault | None:
        status, place = answer.status_code, self._place(method, url)
        of_api = urlsplit(url).path.startswith(API) and not self._silent
        if status < 300:
            return self._malformed(method, place, answer) if of_api and origin_of(url) == self.host.origin else None
        if status < 400:
            if not of_api:
                return None  # whoever asks for a file follows it
            to = origin_of(urljoin(url, answer.headers.get("Location", "")))
            what = say("is sent on to {address}, and a token is not sent after it", address=to)
            remedy = say("give the LMS's own address with --host") if to != self.host.origin else HOW
            return Fault(Refused(Problem(place, what, remedy), status))
        limited = status == 403 and TOO_MUCH in answer.content
        wait = _number(answer.headers.get("Retry-After"), None)
        if limited or status == 429:
            what = say("limits how much this token may ask for, and still did after several pauses")
            return Fault(Refused(Problem(place, what, say("wait some minutes, then run it again")), status), True, wait)
        if status >= 500:
            what = say("fails (status {status})", status=status)
            remedy = say("run the same command again later: it goes on from what is there")
            return Fault(Refused(Problem(place, what, remedy), status), method == "GET", wait)
        return Fault(Refused(Problem(place, *self._refusal(status, answer)), status))

    def _refusal(self, status: int, answer: Any) -> tuple[Message, Message]:
        """What a status of 4xx means, and what to do."""
        if status == 401 and "WWW-Authenticate" in answer.headers:
            return say("does not take the token: it has expired, was revoked, or is another LMS's"), HOW
        if status in (401, 403):
            what = explained(say("is not allowed to the token's user"), self._said(answer))
            return what, say(
                "ask for the role of a teacher or TA in the course, or use the files (docs/grading_day.md)"
            )
        if status == 404:
            what = say("is not there, or not for the token's user")
            return what, say("check --course and --quiz: the numbers in the address")
        what = explained(say("is refused (status {status})", status=status), self._said(answer))
        return what, say("see what the LMS says; nothing was changed by it")

    def _said(self, answer: Any) -> str:
        """What the LMS says of a refusal; nothing where it is a page."""
        try:
            data = answer.json()
        except ValueError:
            return ""
        errors = data.get("errors", data.get("message", data.get("error", ""))) if isinstance(data, dict) else ""
        if isinstance(errors, list):
            errors = "; ".join(str(e.get("message", "")) if isinstance(e, dict) else str(e) for e in errors)
        text = " ".join(self._token.hidden_in(visible(str(errors))).split())
        return text[:MOST_SAID]

    def _malformed(self, method: str, place: str, answer: Any) -> Fault | None:
        """A success that is none: a page instead of data, half of it, or a next page elsewhere."""
        try:
            answer.json()
        except ValueError:
            page = "html" in answer.headers.get("Content-Type", "")
            what = say("answers with a page instead of data") if page else say("sent an answer that is cut off")
            remedy = say("check that --host is the LMS itself") if page else say("run the same command again")
            return Fault(Refused(Problem(place, what, remedy), answer.status_code), method == "GET" and not page)
        following = answer.links.get("next", {}).get("url")
        if following and not following.startswith(self.host.origin + API):
            what = say("has its next page at {origin}", origin=origin_of(following))
            return Fault(
                Refused(Problem(place, what, say("give the LMS's own address with --host")), answer.status_code)
            )
        return None

    def _place(self, method: str, url: str) -> str:
        """`GET https://host/api/v1/courses/1`: what follows a `?` may be long or secret."""
        parts = urlsplit(url)
        return f"{method} {origin_of(url)}{parts.path}"


def explained(what: Message, said: str | None) -> Message:
    """What happened, with what the LMS says of it, if it says anything."""
    return say("{what}: {said}", what=what, said=said) if said else what


def _number(text: str | None, otherwise: Any) -> Any:
    try:
        return max(float(text), 0.0) if text is not None else otherwise
    except ValueError:
        return otherwise


class Connection:
    """What is asked of an LMS, by path below `/api/v1/`; parameters nest as canvasapi has it."""

    def __init__(self, host: Host, token: Token) -> None:
        self.host = host
        self._session = Session(host, token)
        self._requester = Requester(host.origin, "")  # the session has the token, and canvasapi nothing to log
        self._requester._session = self._session

    def ask(self, method: str, path: str, **parameters: Any) -> Any:
        """The data that the LMS answers with."""
        return self.answer(method, path, **parameters).json()

    def answer(self, method: str, path: str, **parameters: Any) -> Any:
        """The same with its headers."""
        return self._requester.request(method, path, _kwargs=combine_kwargs(**parameters))

    def all(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every entry of a list, page by page. Raises Refused where a page is none."""
        try:
            sent = combine_kwargs(**parameters)
            return list(PaginatedList(lambda _, entry: entry, self._requester, "GET", path, _kwargs=sent))
        except (AttributeError, TypeError, KeyError) as error:
            place = f"GET {self.host.origin}{API}{path}"
            what = say("is not a list of entries as documented")
            raise Refused(Problem(place, what, say("check that --host is the LMS itself"))) from error

    def download(self, url: str, *, most: int = LARGEST) -> bytes:
        """A file that the LMS keeps, be it elsewhere: whoever keeps it does not get the token."""
        answer = self._session.request("GET", url, follow=True)
        if len(answer.content) > most:
            raise Refused(
                Problem(
                    origin_of(url), say("sends more than {limit} bytes", limit=most), say("ask the LMS's administrator")
                )
            )
        return bytes(answer.content)

    def upload(self, announced: Mapping[str, Any], name: str, content: bytes, kind: str) -> dict[str, Any]:
        """Send the bytes to where an announced upload is to go, and have the LMS know them; the file's data.

        `announced` is the answer to the first step of an upload, with `upload_url` and `upload_params`.
        """
        where, fields = announced.get("upload_url"), announced.get("upload_params") or {}
        if not isinstance(where, str):
            what = say("does not take the file {name}", name=name)
            what = explained(what, visible(str(announced.get("message") or ""))[:MOST_SAID])
            raise Refused(Problem(self.host.origin, what, say("see the course's quota")))
        with self._session.without_token():
            sent = self._session.request("POST", where, data=fields, files={"file": (name, content, kind)})
        onward = sent.headers.get("Location")
        if onward:
            sent = self._session.request("GET", urljoin(where, onward))
        try:
            file = sent.json()
        except ValueError:
            file = None
        if not isinstance(file, dict) or not isinstance(file.get("id"), int):
            raise Refused(
                Problem(
                    origin_of(where), say("did not say how it keeps the file {name}", name=name), say("run it again")
                )
            )
        return file
