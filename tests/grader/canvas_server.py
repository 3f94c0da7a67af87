"""An LMS on this machine: the endpoints of Canvas that `earwitness canvas` uses, with faults to be put in.

Our own code, after Canvas's public API documentation (https://canvas.instructure.com/doc/api/: courses, sections,
users, quizzes, quiz_questions, quiz_reports, assignments, submissions, submission_comments, progress,
content_migrations, and the pages on pagination, throttling and file uploads) and after what its source says of them
(`app/controllers/`: `submissions_api_controller.rb`, `quizzes/quiz_reports_controller.rb`,
`content_migrations_controller.rb`;
`Submission.process_bulk_update`: a job that fails because somebody is not there has set everybody else's score).

Files are kept under another name of this machine than the API, as Canvas keeps them elsewhere: a token that arrives
there stands in `leaks`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "7~q9Rk2Zr1vXw8Lm5Nt3Pb6Yc4Hd0Fg"
COURSE, QUIZ, ASSIGNMENT, TEACHER = 1, 2, 77, 5
PAGE = 100
Reply = Callable[["Handler"], bool]
"""A fault: answers the request and says so, or does something first and says that it did not answer."""


@dataclass
class Fault:
    """What happens to the next `times` requests whose line fits, after `after` of them went well."""

    line: re.Pattern[str]
    reply: Reply
    times: int = 1
    after: int = 0


@dataclass
class Job:
    """A job of the LMS: carried out at the first request after the one that began it, over one request later."""

    number: int
    scores: dict[int, str]
    age: int = 0
    state: str = "queued"
    message: str | None = None


@dataclass
class Lms:
    """The course, and everything that happened."""

    students: dict[int, dict[str, Any]]
    quiz: dict[str, Any]
    questions: list[dict[str, Any]]
    report: bytes
    overrides: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[int, float | None] = field(default_factory=dict)
    excused: set[int] = field(default_factory=set)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    deaf: list[set[int]] = field(default_factory=list)
    """For each further job, whom it does not reach although they are there."""
    asked: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    emptied: list[int] = field(default_factory=list)
    report_polls: int = 2
    assignment: dict[str, Any] = field(default_factory=dict)
    quizzes: list[dict[str, Any]] = field(default_factory=list)
    imported: Callable[[bytes], tuple[dict[str, Any], list[dict[str, Any]]]] | None = None
    permissions: dict[str, bool] = field(default_factory=lambda: {"manage_grades": True, "view_all_grades": True})
    lock: threading.RLock = field(default_factory=threading.RLock)
    origin: str = ""
    store: str = ""

    def fault(self, line: str, reply: Reply, times: int = 1, after: int = 0) -> None:
        self.faults.append(Fault(re.compile(line), reply, times, after))

    def writes(self) -> list[str]:
        return [line for line in self.asked if not line.startswith("GET ")]

    def age(self) -> None:
        for job in self.jobs:
            job.age += 1
            if job.age == 1:
                job.state = "running"
                deaf = self.deaf.pop(0) if self.deaf else set()
                gone = [user for user in job.scores if user not in self.students]
                for user, score in job.scores.items():
                    if user not in gone and user not in deaf:
                        if not score:
                            self.emptied.append(user)
                        self.scores[user] = float(score)
                if gone or deaf:
                    named = ", ".join(f"'{user}'" for user in [*gone, *deaf])
                    job.message = f"Couldn't find User(s) with API ids {named}"
            elif job.age == 2:
                job.state = "failed" if job.message else "completed"

    def submission(self, user: int, *, comments: bool) -> dict[str, Any]:
        score = self.scores.get(user)
        found: dict[str, Any] = {
            "id": 500000 + user,
            "user_id": user,
            "assignment_id": ASSIGNMENT,
            "score": score,
            "grade": None if score is None else str(score),
            "excused": user in self.excused,
            "assignment_visible": True,
            "workflow_state": "unsubmitted" if score is None else "graded",
            "submission_type": "online_quiz",
            "late": False,
        }
        return found | ({"submission_comments": self.comments.get(user, [])} if comments else {})


class Handler(BaseHTTPRequestHandler):
    """One request. `server.lms` is the course."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    @property
    def lms(self) -> Lms:
        return self.server.lms

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def reply(self, data: Any, status: int = 200, headers: Mapping[str, str] | None = None, cut: int = 0) -> bool:
        """Answer with JSON, or with bytes as they are; `cut` bytes are promised and not sent."""
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json; charset=utf-8", "X-Rate-Limit-Remaining": "699.5", **(headers or {})}
        for name, value in (sent | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) - cut])
        if cut:
            self.close_connection = True
        return True

    def pages(self, entries: list[dict[str, Any]]) -> bool:
        """One page of a list, with a link to the next one (`file.pagination.html`)."""
        page = int(self.query.get("page", "1"))
        size = min(int(self.query.get("per_page", "10")), PAGE)
        following = f"{self.lms.origin}{self.path_}?page={page + 1}&per_page={size}"
        following += "".join(f"&include%5B%5D={name}" for name in self.include)
        following += "&enrollment_type%5B%5D=student" if self.students_only else ""
        more = {"Link": f'<{following}>; rel="next"'} if len(entries) > page * size else {}
        return self.reply(entries[(page - 1) * size : page * size], headers=more)

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        pairs = parse_qsl(parts.query)
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.path_, self.query = parts.path, dict(pairs)
        form = parse_qsl(self.body.decode()) if "urlencoded" in self.headers.get("Content-Type", "") else []
        self.form = dict(form)
        self.students_only = ("enrollment_type[]", "student") in pairs
        self.include = [value for name, value in (*pairs, *form) if name == "include[]"]
        line = f"{self.command} {parts.path}"
        with self.lms.lock:
            self.lms.asked.append(line)
            self.lms.age()
            if self._fault(line):
                return None
            if self.headers.get("Host") != urlsplit(self.lms.origin).netloc:
                if self.headers.get("Authorization"):
                    self.lms.leaks.append(line)
                return self._store()
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                told = {"errors": [{"message": f"Invalid access token: {self.headers.get('Authorization')}"}]}
                self.reply(told, 401, {"WWW-Authenticate": 'Bearer realm="canvas-lms"'})
                return None
            for pattern, answer in ROUTES:
                if found := re.fullmatch(pattern, line):
                    answer(self, *found.groups())
                    return None
            self.reply({"errors": [{"message": "The specified resource does not exist."}]}, 404)
            return None

    do_GET = do_POST = do_PUT = handle_any

    def _fault(self, line: str) -> bool:
        for fault in self.lms.faults:
            if fault.times and fault.line.fullmatch(line):
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.reply(self):
                    return True
        return False

    def _store(self) -> None:
        """Where files are kept: `/upload/KIND/NUMBER` takes one, `/stored` gives the report."""
        if self.command == "POST":
            kind, number = self.path_.split("/")[2:4]
            _, _, rest = self.body.partition(b'filename="')
            name, _, rest = rest.partition(b'"')
            content = rest.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
            self.lms.files[int(number)] = (name.decode(), content)
            onward = f"{self.lms.origin}/api/v1/files/{number}/create_success?uuid=x&kind={kind}"
            self.reply(b"", 303, {"Location": onward})
        else:
            self.reply(self.lms.report, headers={"Content-Type": "text/csv"})

    def announce(self, kind: str) -> dict[str, Any]:
        number = 8000 + len(self.lms.files) + len(self.lms.asked)
        where = f"{self.lms.store}/upload/{kind}/{number}"
        return {"upload_url": where, "upload_params": {"key": f"x/{number}", "success_action_status": "201"}}


def _course(handler: Handler) -> None:
    more = {"total_students": len(handler.lms.students)} if "total_students" in handler.include else {}
    handler.reply({"id": COURSE, "name": "機器學習 2026 Spring", "workflow_state": "available"} | more)


def _sections(handler: Handler) -> None:
    handler.pages([{"id": 11, "name": "Class A"}, {"id": 12, "name": "Class B"}])


def _students(handler: Handler) -> None:
    teacher = {"id": TEACHER, "name": "Lin", "sortable_name": "Lin", "sis_user_id": "t1", "login_id": "t1"}
    found: list[dict[str, Any]] = [] if handler.students_only else [teacher]
    hidden = () if "enrollments" in handler.include else ("enrollments",)
    for student in handler.lms.students.values():
        found.append({name: value for name, value in student.items() if name not in hidden})
    handler.pages(found)


def _quiz(handler: Handler, number: str) -> None:
    found = [quiz for quiz in (handler.lms.quiz, *handler.lms.quizzes) if quiz["id"] == int(number)]
    handler.reply(found[0]) if found else handler.reply({"errors": [{"message": "not found"}]}, 404)


def _quizzes(handler: Handler) -> None:
    handler.pages([handler.lms.quiz, *handler.lms.quizzes])


def _questions(handler: Handler, number: str) -> None:
    handler.pages([question for question in handler.lms.questions if question["quiz_id"] == int(number)])


def _assignment(handler: Handler) -> None:
    whole = {"id": ASSIGNMENT, "name": "HW10", "points_possible": 10.0, "grading_type": "points", "published": True}
    whole |= {"post_manually": True, "moderated_grading": False, "anonymous_grading": False}
    handler.reply(whole | handler.lms.assignment)


def _overrides(handler: Handler) -> None:
    handler.pages(handler.lms.overrides)


def _submissions(handler: Handler) -> None:
    comments = "submission_comments" in handler.include
    handler.pages([handler.lms.submission(user, comments=comments) for user in handler.lms.students])


def _report(handler: Handler, number: str | None = None) -> None:
    del number
    lms = handler.lms
    told: dict[str, Any] = {
        "id": 9,
        "quiz_id": QUIZ,
        "report_type": "student_analysis",
        "includes_all_versions": True,
        "url": f"{lms.origin}/api/v1/courses/{COURSE}/quizzes/{QUIZ}/reports/9",
    }
    if lms.report_polls > 0:
        lms.report_polls -= 1
        told["progress_url"] = f"{lms.origin}/api/v1/progress/900"
    else:
        told["file"] = {"id": 12, "url": f"{lms.origin}/files/12/download?verifier=abc", "size": len(lms.report)}
    handler.reply(told)


def _reports(handler: Handler) -> None:
    handler.reply([{"id": 9, "report_type": "student_analysis", "includes_all_versions": True}])


def _bulk(handler: Handler) -> None:
    scores = {
        int(found[1]): score
        for name, score in handler.form.items()
        if (found := re.fullmatch(r"grade_data\[(\d+)\]\[posted_grade\]", name))
    }
    job = Job(901 + len(handler.lms.jobs), scores)
    handler.lms.jobs.append(job)
    _progress(handler, str(job.number))


def _progress(handler: Handler, number: str) -> None:
    found = next((job for job in handler.lms.jobs if job.number == int(number)), Job(int(number), {}, state="running"))
    told = {"id": found.number, "completion": 100, "workflow_state": found.state, "message": found.message}
    handler.reply(told | {"tag": "submissions_update"})


def _announce_comment(handler: Handler, user: str) -> None:
    del user
    handler.reply(handler.announce("comment"))


def _stored(handler: Handler, number: str) -> None:
    name, content = handler.lms.files[int(number)]
    if handler.query.get("kind") == "package" and handler.lms.imported:
        quiz, questions = handler.lms.imported(content)
        handler.lms.quizzes.append(quiz)
        handler.lms.questions += questions
    handler.reply({"id": int(number), "display_name": name, "filename": name, "size": len(content), "url": "x"})


def _comment(handler: Handler, user: str) -> None:
    numbers = [int(value) for name, value in parse_qsl(handler.body.decode()) if name == "comment[file_ids][]"]
    names = {n: handler.lms.files[n][0] for n in numbers}
    attached = [{"id": n, "display_name": name, "filename": name} for n, name in names.items()]
    entry = {"id": 1, "comment": handler.form["comment[text_comment]"], "attachments": attached}
    handler.lms.comments.setdefault(int(user), []).append(entry)
    handler.reply(handler.lms.submission(int(user), comments=True))


def _migration(handler: Handler) -> None:
    told = {"id": 44, "migration_type": "qti_converter", "workflow_state": "pre_processing"}
    handler.reply(told | {"pre_attachment": handler.announce("package")})


def _download(handler: Handler) -> None:
    handler.reply(b"", 302, {"Location": f"{handler.lms.store}/stored"})


C, A = rf"/api/v1/courses/{COURSE}", rf"/api/v1/courses/{COURSE}/assignments/{ASSIGNMENT}"
ROUTES: list[tuple[str, Callable[..., Any]]] = [
    ("GET /api/v1/users/self", lambda handler: handler.reply({"id": TEACHER, "name": "Lin"})),
    (f"GET {C}", _course),
    (f"GET {C}/permissions", lambda handler: handler.reply(handler.lms.permissions)),
    (f"GET {C}/sections", _sections),
    (f"GET {C}/users", _students),
    (f"GET {C}/quizzes", _quizzes),
    (rf"GET {C}/quizzes/(\d+)", _quiz),
    (rf"GET {C}/quizzes/(\d+)/questions", _questions),
    (f"POST {C}/quizzes/{QUIZ}/reports", _report),
    (f"GET {C}/quizzes/{QUIZ}/reports", _reports),
    (f"GET {C}/quizzes/{QUIZ}/reports/(9)", _report),
    ("GET /files/12/download", _download),
    (f"GET {A}", _assignment),
    (f"GET {A}/overrides", _overrides),
    (f"GET {A}/submissions", _submissions),
    (f"POST {A}/submissions/update_grades", _bulk),
    (rf"POST {A}/submissions/(\d+)/comments/files", _announce_comment),
    (rf"PUT {A}/submissions/(\d+)", _comment),
    (r"GET /api/v1/files/(\d+)/create_success", _stored),
    (r"GET /api/v1/progress/(\d+)", _progress),
    (f"POST {C}/content_migrations", _migration),
    (f"GET {C}/content_migrations/44", lambda handler: handler.reply({"id": 44, "workflow_state": "completed"})),
    (f"GET {C}/content_migrations/44/migration_issues", lambda handler: handler.pages([])),
]


class Server(ThreadingHTTPServer):
    """Serves one course on a free port."""

    daemon_threads = True

    def __init__(self, lms: Lms) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lms = lms
        lms.origin, lms.store = (f"http://{name}:{self.server_address[1]}" for name in ("127.0.0.1", "localhost"))

    def handle_error(self, *_: Any) -> None:
        """A client that was killed is no error of the LMS."""


@contextmanager
def serving(lms: Lms) -> Iterator[Lms]:
    """The course on the loopback while the block runs."""
    server = Server(lms)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield lms
    finally:
        server.shutdown()
        server.server_close()


def status(code: int, said: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with this status; further tries need not wait."""
    told = {"errors": [{"message": "said by the LMS"}]} if said is None else said
    return lambda handler: handler.reply(told, code, {"Retry-After": "0", **(headers or {})})


def limited() -> Reply:
    """`file.throttling.html`."""
    return status(403, b"403 Forbidden (Rate Limit Exceeded)\n", {"X-Rate-Limit-Remaining": "0.0"})


def cut_off() -> Reply:
    """Half an answer."""
    return lambda handler: handler.reply([{"id": 1, "name": "x" * 200}], cut=100)


def meanwhile(what: Callable[[], object]) -> Reply:
    """Something else happens first; then the request is answered as ever."""

    def reply(_: Handler) -> bool:
        what()
        return False

    return reply
