"""Evaluators that behave as people's do: every way to be right, to be wrong and to fall over that their tests know.

`how` says which; each name is a function below that stands in for one of the evaluator's methods. Nothing of this may
run in the process of whoever asks.
"""

# ruff: noqa: ARG001, ARG002, ARG005 - this is what authors write

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from basics.errors import InputError, Problem
from evaluators.display import Text
from evaluators.evidence import Artefact, Evidence, Findings, Frozen, Inputs, Interval, Measurement, Quantity, Site


class Parameters(Frozen):
    how: str = "right"


def share(value: Any = 0.5, **more: Any) -> Measurement:
    return Measurement(**{"name": "u.share", "value": value, "source": "measured", **more})


def yes(value: Any) -> Measurement:
    return Measurement(name="u.yes", value=value, source="measured")


def count(value: Any, **more: Any) -> Measurement:
    return Measurement(name="u.count", value=value, source="measured", **more)


def word(value: Any) -> Measurement:
    return Measurement(name="u.word", value=value, source="measured")


RIGHT = (share(), yes(True), count(45), word("a"))


def found(*changed: Measurement) -> Findings:
    """What is right, with some of it changed."""
    names = {measurement.name for measurement in changed}
    return Findings(measurements=(*changed, *(one for one in RIGHT if one.name not in names)))


def after(*actions: Callable[[], object]) -> Callable[[Site], Findings]:
    """What is right, after these were done."""

    def measure(site: Site) -> Findings:
        for action in actions:
            action()
        return found()

    return measure


def raising(error: BaseException | type[BaseException]) -> Callable[[Site], Any]:
    def measure(site: Site) -> Any:
        raise error

    return measure


def gives(*changed: Any) -> Callable[[Site], Findings]:
    """Each made when it is asked for: what cannot be made is a fault of `measure`."""
    return lambda site: found(*(one() for one in changed))


def deep() -> Any:
    return deep()


def forks() -> None:
    if os.fork() == 0:
        return  # and goes on as if it were the parent: it returns findings, too


def pools() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(abs, [-1]) == [1]


async def later() -> Findings:
    return found()


def leaves_a_thread() -> None:
    threading.Thread(target=time.sleep, args=(1000,)).start()


def leaves_a_process(*, away: bool) -> None:
    subprocess.Popen(["sleep", "20"], start_new_session=away)


def ignores_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def floods() -> None:
    for _ in range(100):
        sys.stdout.write("x" * 100_000)
    sys.stdout.flush()


def crashes() -> None:
    faulthandler.disable()
    ctypes.string_at(0)


def writes_where_it_stands() -> None:
    Path("left_behind.txt").write_text("x")
    assert sys.stdin.read() == ""


class Untold(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


class Unknown(BaseException):
    """An error of nobody's tree."""


class Mine(Measurement):
    """A measurement with more to it."""

    colour: str = "red"


class Image(Artefact):
    """An artefact with more to it."""


MEASURES: dict[str, Callable[[Site], Any]] = {
    # right
    "right": after(),
    "numpy": gives(
        lambda: share(np.float64(0.5)), lambda: yes(np.arange(3).mean() > 0), lambda: count(np.arange(10).sum())
    ),
    "numpy_0d": gives(lambda: share(np.array(0.5)), lambda: word(np.array(["a"])[0])),
    "numpy_interval": gives(
        lambda: share(interval=Interval(low=np.float32(0.4), high=np.float64(0.55)), n=np.int64(3)),
    ),
    "rounding": gives(lambda: share(0.5), lambda: count(45.0)),
    "list": lambda site: Findings(measurements=[*RIGHT]),  # type: ignore[arg-type]
    "generator_inside": lambda site: Findings(measurements=(one for one in RIGHT)),  # type: ignore[arg-type]
    "subclass": gives(lambda: Mine(name="u.share", value=0.5, source="measured")),
    "markup": gives(lambda: share(note="[bold red]x[/bold red] [/]", unit="[/]")),
    "prints": after(lambda: print("50 %"), lambda: print("oh", file=sys.stderr), lambda: os.system("echo a child")),
    "floods": after(floods),
    "closes_stdout": after(lambda: sys.stdout.close()),
    "no_stdout": after(lambda: setattr(sys, "stdout", None)),
    "chdir": after(lambda: os.chdir("/")),
    "writes": after(writes_where_it_stands),
    "warns": after(lambda: warnings.warn("old", stacklevel=1), lambda: logging.warning("a line")),
    "progress": lambda site: [site.progress("half", 0.5), site.progress("more", 9), found()][-1],
    "forks": after(forks),
    "pool": after(pools),
    "leaves_thread": after(leaves_a_thread),
    "leaves_process": after(lambda: leaves_a_process(away=False)),
    "leaves_daemon": after(lambda: leaves_a_process(away=True)),
    "ignores_signals": after(ignores_signals),
    "at_exit": after(lambda: atexit.register(lambda: os._exit(9))),
    "environment": after(lambda: os.environ.clear(), lambda: sys.path.clear()),
    # undefined
    "nan": gives(lambda: share(float("nan"))),
    "inf": gives(lambda: share(np.float32("inf"))),
    "missing": lambda site: Findings(measurements=RIGHT[1:]),
    "nothing_found": lambda site: Findings(measurements=()),
    "reason": gives(lambda: Measurement(name="u.share", undefined="nobody came", source="measured")),
    # faults
    "raise": raising(RuntimeError("the evaluator fell over")),
    "raise_empty": raising(RuntimeError),
    "raise_text": raising(RuntimeError("\x1b[31mred\udc80")),
    "raise_untold": raising(Untold()),
    "raise_base": raising(Unknown("nobody's")),
    "raise_stop": raising(StopIteration()),
    "raise_input": raising(InputError(Problem("lab.csv", "has no column x", "add it"))),
    "zero": lambda site: 1 / 0,
    "assertion": raising(AssertionError()),
    "no_file": lambda site: Path("/no/such/file.csv").read_text(),
    "no_module": lambda site: __import__("no_such_module_xyz"),
    "exit": lambda site: sys.exit(3),
    "exit_0": lambda site: sys.exit(0),
    "exit_text": lambda site: sys.exit("I give up"),
    "hard_exit": lambda site: os._exit(5),
    "hard_exit_0": lambda site: os._exit(0),
    "crash": lambda site: crashes(),
    "abort": lambda site: os.abort(),
    "kill": lambda site: os.kill(os.getpid(), signal.SIGKILL),
    "interrupt": raising(KeyboardInterrupt()),
    "recursion": lambda site: deep(),
    "memory": raising(MemoryError()),
    "hang": lambda site: time.sleep(10**6),
    "hang_deaf": lambda site: [ignores_signals(), print("so far"), time.sleep(10**6)],
    "spin": lambda site: [None for _ in iter(int, 1)],
    "closes_all": lambda site: [os.closerange(0, 100), found()][-1],
    "writes_pipe": lambda site: [[os.write(n, b"junk" * 9) for n in (3, 4, 5) if writable(n)], found()][-1],
    "none": lambda site: None,
    "number": lambda site: 0.5,
    "dict": lambda site: {"u.share": 0.5},
    "bare_list": lambda site: [*RIGHT],
    "coroutine": lambda site: later(),
    "generator": lambda site: (one for one in RIGHT),
    "not_measurements": lambda site: Findings(measurements=(0.5,)),  # type: ignore[arg-type]
    "one_measurement": lambda site: Findings(measurements=share()),  # type: ignore[arg-type]
    "text": gives(lambda: share("half")),
    "bool": gives(lambda: share(True)),
    "one_for_true": gives(lambda: yes(1)),
    "text_for_true": gives(lambda: yes("true")),
    "number_for_text": gives(lambda: word(3)),
    "other_word": gives(lambda: word("c")),
    "numpy_1d": gives(lambda: share(np.array([0.5]))),
    "fraction": gives(lambda: share(Fraction(1, 2))),
    "decimal": gives(lambda: share(Decimal("0.5"))),
    "complex": gives(lambda: share(0.5j)),
    "huge": gives(lambda: count(10**400)),
    "out_of_bounds": gives(lambda: share(7.0)),
    "below": gives(lambda: count(-1)),
    "interval_off": gives(lambda: share(interval=Interval(low=0.7, high=0.9))),
    "interval_flipped": gives(lambda: share(interval=Interval(low=0.9, high=0.1))),
    "no_value": gives(lambda: share(None)),
    "unannounced": gives(lambda: share(name="u.extra")),
    "bad_name": gives(lambda: share(name="Bad X")),
    "twice": lambda site: Findings(measurements=(share(), share(0.6))),
    "source": gives(lambda: share(source="guessed")),
    "bypassed": gives(lambda: Measurement.model_construct(name="u.share", value=[1], source="measured")),
    "artefact_lost": lambda site: Findings(measurements=RIGHT, artefacts=(image("blobs/none.png"),)),
    "artefact_outside": lambda site: Findings(measurements=RIGHT, artefacts=(image("../../etc/passwd"),)),
    "foreign_type": lambda site: Findings(
        measurements=RIGHT, artefacts=(Image(title="x", path="blobs/x", media_type="image/png", sha256="0" * 64),)
    ),
}


def image(path: str) -> Artefact:
    return Artefact(title="x", path=path, media_type="image/png", sha256="0" * 64)


def writable(number: int) -> bool:
    try:
        return bool(os.fstat(number)) and os.get_blocking(number) and Path(f"/proc/self/fd/{number}").exists()
    except OSError:
        return False


ANNOUNCED = (
    Quantity(name="u.share", low=0, high=1),
    Quantity(name="u.yes", kind="bool"),
    Quantity(name="u.count", low=0),
    Quantity(name="u.word", kind="text", one_of=("a", "b")),
)


def announcing(*quantities: Any) -> Callable[[], Any]:
    return lambda: [one() if callable(one) else one for one in quantities]


def raised_in(error: BaseException) -> Callable[..., Any]:
    def method(*_: Any) -> Any:
        raise error

    return method


def lazily() -> Iterator[Quantity]:
    yield from ANNOUNCED
    raise ValueError("halfway")


QUANTITIES: dict[str, Callable[[], Any]] = {
    "quantities_generator": lambda: (one for one in ANNOUNCED),
    "quantities_print": lambda: [print("asked"), *ANNOUNCED][1:],
    "quantities_raise": raised_in(ValueError("quantities broke")),
    "quantities_halfway": lazily,
    "quantities_none": lambda: None,
    "quantities_twice": announcing(*ANNOUNCED, ANNOUNCED[0]),
    "quantities_text": announcing("u.share"),
    "quantities_name": announcing(lambda: Quantity(name="Bad X")),
    "quantities_unicode": announcing(lambda: Quantity(name="覆 率")),
    "quantities_exit": lambda: sys.exit(3),
    "quantities_hard_exit": lambda: os._exit(3),
    "quantities_interrupt": raised_in(KeyboardInterrupt()),
}

INPUTS: dict[str, Callable[[], Any]] = {
    "inputs_raise": raised_in(KeyError("inputs broke")),
    "inputs_none": lambda: None,
    "inputs_package": lambda: Inputs(packages=("no-such-package",)),
    "inputs_path": lambda: Inputs(files={"lab.csv": Path("x")}),  # type: ignore[dict-item]
    "inputs_exit": lambda: sys.exit("no inputs"),
    "inputs_crash": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "inputs_hang": lambda: time.sleep(10**6),
}


class Unruly:
    name: ClassVar[str] = "unruly"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = False
    Parameters: ClassVar[type[Frozen]] = Parameters

    def quantities(self, parameters: Parameters) -> Any:
        return QUANTITIES.get(parameters.how, lambda: ANNOUNCED)()

    def inputs(self, parameters: Parameters, site: Site) -> Any:
        return INPUTS.get(parameters.how, Inputs)()

    def measure(self, parameters: Parameters, site: Site) -> Any:
        return MEASURES.get(parameters.how, after())(site)


class Misnamed(Unruly):
    name: ClassVar[str] = "something_else"


class Lacking:
    name = "lacking"
    stored = "yes"

    def quantities(self) -> Any: ...


class OddParameters(Frozen):
    timeout: float = 1.0
    data: Path | None = None


class Odd(Unruly):
    name: ClassVar[str] = "odd"
    Parameters: ClassVar[type[Frozen]] = OddParameters


class Demanding(Unruly):
    name: ClassVar[str] = "demanding"

    def __init__(self, what: str) -> None:
        raise NotImplementedError


DISPLAYS: dict[str, Callable[[], Any]] = {
    "display_right": lambda: [Text(title="Shown", paragraphs=("all is well",))],
    "display_raise": raised_in(ValueError("no paint")),
    "display_none": lambda: None,
    "display_exit": lambda: sys.exit(1),
    "display_kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "display_text": lambda: ["paint"],
}


class Showy(Unruly):
    name: ClassVar[str] = "showy"
    stored: ClassVar[bool] = True

    def display(self, evidence: Evidence, site: Site) -> Any:
        return DISPLAYS[evidence.parameters["how"]]()
