"""The process that evidence is run in: it calls a function, runs a notebook or becomes a program, without a network.

Started by its path with a job (JSON) on standard input, in a folder of its own; the reply is a JSON file there. Only
the standard library is imported before the network is left, which takes a process of one thread.
"""

from __future__ import annotations

import json
import math
import os
import random
import socket
import struct
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from typing import Any

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # linux/sched.h
SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41  # linux/sockios.h, linux/if.h
SHOWN = 60
PARTS = {"value", "low", "high", "n", "over", "undefined"}
"""What a mapping may say of a value."""


def said(value: Any) -> dict[str, Any]:
    """A value as data: `value`, `undefined` with the reason, or `unusable` with what it is instead.

    A mapping of PARTS is a value with its interval, number of observations or the reason why there is none.
    """
    if isinstance(value, Mapping) and value and value.keys() <= PARTS:
        parts = {name: said(part).get("value") for name, part in value.items() if name in ("low", "high", "n")}
        parts |= {name: str(part) for name, part in value.items() if name in ("over", "undefined")}
        return {**(said(value["value"]) if "value" in value else {}), **parts}
    plain = value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value
    if plain is None or type(plain).__name__ in ("NAType", "NaTType"):  # of pandas
        return {"undefined": f"it is {plain}"}
    if isinstance(plain, int) and abs(plain) > sys.float_info.max:
        return {"unusable": "a whole number that is too large (beyond 1.8e308)"}
    if isinstance(plain, bool | int):
        return {"value": plain}
    if isinstance(plain, float):
        return {"value": plain} if math.isfinite(plain) else {"undefined": f"it is {plain}"}
    try:
        shown = " ".join(repr(plain).split())
    except Exception:  # it is anybody's object
        shown = "which cannot be shown"
    return {"unusable": f"a {type(plain).__name__} ({shown[:SHOWN]}{' …' if len(shown) > SHOWN else ''})"}


def leave_the_network() -> None:
    """Leave every network but one of this process and its children alone, where the system lets us (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    import fcntl

    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK):
        return
    with suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH22x", b"lo", UP_AND_RUNNING))


def call(job: Mapping[str, Any]) -> dict[str, Any]:
    """Import a file and call a function of it with `with`, and with `seed` where it takes one.

    Returns `values` by name, as `said` has them, or `fault`: what went wrong, in a line.
    """
    path = Path(job["file"])
    sys.path[:0] = list(dict.fromkeys([str(path.parent.absolute()), str(Path.cwd())]))
    random.seed(job["seed"])
    try:
        spec = spec_from_file_location(path.stem, path.absolute())
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[path.stem] = module_from_spec(spec)
        spec.loader.exec_module(module)
        function = getattr(module, job["function"], None)
        if not callable(function):
            known = [name for name, one in vars(module).items() if callable(one) and not name.startswith("_")]
            return {"unknown": known}
        takes_seed = "seed" in signature(function).parameters and "seed" not in job["with"]
        returned = function(**job["with"], **({"seed": job["seed"]} if takes_seed else {}))
    except BaseException as error:  # whatever an author's code raises, SystemExit included
        return broken(error)
    if not isinstance(returned, Mapping):
        told = said(returned)
        what = told.get("unusable") or f"{returned!r}"
        return {"fault": f"it returned {what}, expected a dict of names and values"}
    return {"values": {str(name): said(value) for name, value in returned.items()}}


def broken(error: BaseException) -> dict[str, Any]:
    """What an error was, and the line of the quiz's own code where it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    here = os.path.realpath(Path.cwd())
    own = [f for f in frames if os.path.realpath(f.filename).startswith(here + os.sep)]
    if isinstance(error, SyntaxError) and error.filename:
        where = f" ({Path(error.filename).name} line {error.lineno})"
    else:
        where = f" ({Path(own[-1].filename).name} line {own[-1].lineno})" if own else ""
    text = " ".join(str(error).split())
    kind = type(error).__name__
    absent = error.name if isinstance(error, ModuleNotFoundError) else None
    lost = str(error.filename) if isinstance(error, FileNotFoundError) and error.filename else None
    trace = "".join(traceback.format_exception(error))
    return {"fault": f"{kind}{f': {text}' if text else ''}{where}", "absent": absent, "lost": lost, "trace": trace}


def notebook(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run a notebook from its first cell; returns it with its outputs, and the values of the variables asked for."""
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    path = Path(job["file"])
    book = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    probe = PROBE.format(launch=str(Path(__file__)), names=job["variables"])
    book.cells.append(nbformat.v4.new_code_cell(probe))  # type: ignore[no-untyped-call]
    reached = [1]
    client = NotebookClient(
        book,
        timeout=max(1, int(job["seconds"])),
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell_index, **_: reached.append(cell_index + 1),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return {"fault": f"{_cell(book, reached[-1])} raised {error.ename}: {' '.join(error.evalue.split())}"}
    except CellTimeoutError:
        return {"fault": f"{_cell(book, reached[-1])} took longer than {job['seconds']:g} s", "late": True}
    except DeadKernelError:
        return {"fault": f"{_cell(book, reached[-1])} ended its kernel"}
    except NoSuchKernel as error:
        return {"fault": f"it asks for the kernel {error.name!r}, which is not installed here"}
    outputs = book.cells.pop().outputs
    printed = "".join(output.get("text", "") for output in outputs if output.output_type == "stream")
    text = nbformat.writes(book)  # type: ignore[no-untyped-call]
    return {"notebook": text, "variables": json.loads(printed.splitlines()[-1])}


def _cell(book: Any, number: int) -> str:
    """A cell in words."""
    first = next(iter(book.cells[number - 1].source.strip().splitlines()), "")
    return f"cell {number} (`{first[:SHOWN]}`)" if number < len(book.cells) else "the end of the notebook"


PROBE = """
import runpy as _earwitness
_earwitness = _earwitness.run_path({launch!r})
import json as _earwitness_json
print()
print(_earwitness_json.dumps({{name: _earwitness["said"](globals()[name]) for name in {names!r} if name in globals()}}))
"""
"""The cell that is added at the end of a notebook: the values of its variables."""


def main() -> None:
    """Do the job on standard input."""
    job = json.load(sys.stdin)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if not job["online"]:
        leave_the_network()
    if job["do"] == "command":
        os.execvp(job["command"][0], job["command"])
    reply = notebook(job) if job["do"] == "notebook" else call(job)
    Path(job["reply"]).write_text(json.dumps(reply), encoding="utf-8")
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(0)  # whatever threads were left behind


if __name__ == "__main__":
    main()
