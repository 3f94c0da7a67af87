"""Run what a quiz brings: in a process of its own, in a copy of the files that it names, with an end.

The copy is all that there is: a file of the quiz that is read and not named is not there, so that every file on which a
value rests is part of its fingerprint. The environment is made anew (no secrets, no settings), with a seed in it. There
is no network where the question does not allow one: on Linux the process has none, elsewhere Python refuses (`guard`).
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Literal

from basics.errors import InputError, Problem
from basics.messages import quoted, say
from basics.workers import how_ended
from evaluators.evidence import Frozen, QuizFile, Site
from evaluators.generic.guard import FOLDER, OFFLINE
from evaluators.packages import ABSENT, DEBUG, distribution_of, installed_version
from evaluators.process import KEPT, end_whole, keep

LAUNCH, GUARD = (Path(__file__).with_name(name) for name in ("launch.py", "guard.py"))
TIMEOUT = 600.0
"""Seconds that it may take, where a request says nothing else."""
LINES, LONGEST = 8, 200
"""Lines of what was printed that are shown, and characters of a line."""
TOO_SLOW = say("make it faster, or give it longer: `timeout: SECONDS` beside it")
NOISE = "[IPKernelApp]"
"""Begins what kernels print of themselves."""
MOST = 1 << 26
"""Bytes that a reply may have."""
INHERITED = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
)
"""Variables of the environment that are handed on."""
SEED = "EARWITNESS_SEED"


class Run(Frozen):
    """What a question may say of anything that is run.

    Attributes:
        reads: files of the quiz that it reads besides its own.
        seed: for whatever it draws; in its environment as EARWITNESS_SEED.
        online: whether it may use the network.
        source: `simulated` where it simulates.
    """

    reads: tuple[QuizFile, ...] = ()
    seed: int = 0
    online: bool = False
    source: Literal["executed", "simulated"] = "executed"


def run(
    job: Mapping[str, Any], files: Iterable[str], asked: Run, site: Site, *, timeout: float, where: str
) -> dict[str, Any]:
    """The reply of `launch.py` to a job, or what a program printed (`printed`, bytes).

    Args:
        job: what is to be done; see `launch`.
        files: files of the quiz that are copied.
        asked: seed and network.
        site: where the quiz lies.
        timeout: seconds until it is ended, with all that it started.
        where: how messages call it.

    Raises InputError, which tells what went wrong and what was printed last.
    """
    with _workplace(files, site) as folder:
        reply, printed = folder / "reply.json", folder / "printed"
        work = folder / "quiz"
        call = {"seed": asked.seed, "online": asked.online, "reply": str(reply), "seconds": timeout, **job}
        output: deque[bytes] = deque()
        with printed.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-B", str(LAUNCH)],
                stdin=subprocess.PIPE,
                stdout=out if job["do"] == "command" else subprocess.PIPE,
                stderr=subprocess.PIPE if job["do"] == "command" else subprocess.STDOUT,
                cwd=work,
                env=_environment(folder, asked),
                start_new_session=True,  # so that all that it starts can be ended with it
            )
        stream = process.stderr if job["do"] == "command" else process.stdout
        reader = Thread(target=keep, args=(stream, output), daemon=True)
        reader.start()
        try:
            with suppress(OSError):
                assert process.stdin is not None
                process.stdin.write(json.dumps(call).encode())
                process.stdin.close()
            # a notebook ends by itself a little earlier, and tells in which cell
            code = process.wait(timeout + (10 if job["do"] == "notebook" else 0))
        except subprocess.TimeoutExpired:
            raise InputError(
                Problem(where, say("gave no answer within {timeout:g} s", timeout=timeout), TOO_SLOW)
            ) from None
        finally:
            end_whole(process)
            reader.join(1.0)
        said = _last(b"".join(output))
        if job["do"] == "command":
            return _printed(code, printed, said, where)
        if not reply.is_file():
            what = say("ended without an answer ({cause})", cause=how_ended(code))
            raise InputError(Problem(where, what, say("run it by itself to see why{output}", output=said)))
        found: dict[str, Any] = json.loads(reply.read_bytes())
    if "fault" in found:
        raise InputError(_fault(found, said, where, site))
    return found


def _printed(code: int, printed: Path, said: str, where: str) -> dict[str, Any]:
    if code:
        raise InputError(
            Problem(
                where,
                say("failed ({cause})", cause=how_ended(code)),
                say("run it by itself to see why{output}", output=said),
            )
        )
    if printed.stat().st_size > MOST:
        raise InputError(
            Problem(where, say("printed more than {limit} MiB", limit=MOST >> 20), say("have it print less"))
        )
    return {"printed": printed.read_bytes(), "said": said}


def _fault(found: Mapping[str, Any], said: str, where: str, site: Site) -> Problem:
    if os.environ.get(DEBUG) and found.get("trace"):
        print(found["trace"], end="", file=sys.stderr)
    remedy = say("correct it; --debug shows where it arose") if found.get("trace") else say("correct it")
    if found.get("late"):
        remedy, said = TOO_SLOW, ""
    if (absent := found.get("absent")) and installed_version(distribution_of(absent)) == ABSENT:
        remedy = say("install {package}", package=distribution_of(absent))
    for name in (f"{absent}.py" if absent else "", str(found.get("lost") or "")):
        if name and site.quiz is not None and (site.quiz / name).is_file():
            remedy = say("{file} is in the quiz, and not named here: add it to `reads: [{file}]`", file=name)
    return Problem(where, quoted(found["fault"]), remedy + said)


@contextmanager
def _workplace(files: Iterable[str], site: Site) -> Iterator[Path]:
    """A folder that goes with what is run: `quiz`, with copies of `files`, a home, and room for temporary files."""
    with tempfile.TemporaryDirectory(prefix="earwitness-", ignore_cleanup_errors=True) as made:
        folder = Path(made).resolve()
        for name in ("quiz", "home", "tmp", "site"):
            (folder / name).mkdir()
        for name in dict.fromkeys(files):
            target = folder / "quiz" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(site.file(name), target)
        guard = GUARD.read_text(encoding="utf-8")
        (folder / "site" / "sitecustomize.py").write_text(f"{guard}\n\ninstall()\n", encoding="utf-8")
        yield folder


def _environment(folder: Path, asked: Run) -> dict[str, str]:
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    seed = str(asked.seed % (1 << 32))
    path = os.pathsep.join(filter(None, (str(folder / "site"), kept.get("PYTHONPATH"))))
    made = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), FOLDER: str(folder), "PYTHONPATH": path}
    fixed = {"PYTHONHASHSEED": seed, SEED: seed, "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"}
    fixed |= {} if asked.online else {OFFLINE: "1", "HF_HUB_OFFLINE": "1"}
    return kept | made | fixed


def _last(output: bytes) -> str:
    """The last lines that were printed, to stand under a message."""
    lines = [line.rstrip() for line in output[-KEPT:].decode(errors="replace").splitlines() if line.strip()]
    own = [line for line in lines if not line.startswith(NOISE)]
    shown = "".join(f"\n    | {line[:LONGEST]}" for line in own[-LINES:])
    return f"; it printed last:{shown}" if shown else ""


def packages_of(code: Iterable[str]) -> tuple[str, ...]:
    """The packages, installed here, that Python texts import: those whose version may move what they give."""
    found: dict[str, None] = {}
    for text in code:
        with suppress(SyntaxError, ValueError):
            for node in ast.walk(ast.parse(text)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    names = [node.module]
                found |= dict.fromkeys(name.partition(".")[0] for name in names)
    packages = {distribution_of(name) for name in found if name not in sys.stdlib_module_names}
    return tuple(sorted(name for name in packages if installed_version(name) != ABSENT))


def texts_of(files: Iterable[str], site: Site) -> Iterator[str]:
    """The Python files among some files of the quiz, as texts."""
    for name in files:
        if name.endswith(".py"):
            yield site.file(name).read_text(encoding="utf-8", errors="replace")
