"""What is tried, by family: each spoils a copy of the world and names the command that has to bear it."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.hostile.driver import WITH_FILES_OF

Draw = Callable[[st.SearchStrategy[Any]], Any]
Arguments = tuple[str, ...]
Q = ("--quiz", "quiz")

BOMB = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'x'}]\n" for i in range(10))
SCALARS = (
    "1" * 5000, "-" + "9" * 400, "1e400", "-1e400", ".nan", ".inf", "0x10", "1_000", "1e-400", "9" * 18, "0.1" * 99,
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2026-06-18T23:59:60Z", "2026-06-18", "12:30", "~", "''",
    '"\\e[2J\\e]0;x\\a"', '"\\x9b31m"', '"\\u202e"', '"\\ud800"', '"\\0"', "[/b]", "'[bold red]x[/]'", ":smile:",
    "!!python/object/apply:os.system [true]", "!!binary aGk=", "!!set {a, b}", "!x y", "<<", "&a [*a]", "*nothing",
    "[" * 900 + "]" * 900, "{a: " * 70 + "1" + "}" * 70, "[]", "{}", "[[]]", "{? [a] : b}", "{[a]: b}", "{a: 1, a: 2}",
    "x" * 300, "'" + "x" * 2_000_000 + "'", "../../x", "/nowhere/at/all", "CON", "a/b", "＝1+1", "=1+1", "true", "no",
    "'" + "(" * 5000 + "'", "\u2028", "'\u0000'", "- - - -", "|", ">-", "@", "`", "%", "\t", "'a", '"b',
    "# c", ": ", "? ",
)  # fmt: skip
LINES = (
    BOMB, "---", "...", "%YAML 1.1", "a: &a [*a]", "<<: {a: b}", "? - x\n: y", "\t- x", "- x", "=", "{", "]",
    "\x00", "\ufeff",
    "x: " + "[" * 200, "&a a: *a", "answers: *a", "!!omap [a: b]", "'", '"', "x: |\n  y", ": :", "\udcff",
)  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 1, 10**30, 0.5, -0.0, 1e308, "", "x", "10", "10.00", "1/0", "0/1", "1" * 5000,
    "1" * 401 + ".00",
    [], {}, [[]], [None], {"a": 1}, "[/b]", "\x1b[2J", "\x9b", "\u202e", "../x", "/nowhere/at/all", "\ud800",
    "2026-01-01",
    "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:00", "a" * 70000, "0" * 64, "f" * 64, "=1", ["A"] * 2000,
)  # fmt: skip
RAW = (
    "1e999",
    "NaN",
    "-Infinity",
    "1" * 5000,
    "[" * 100_000,
    '{"a":1,"a":2}',
    '"\\ud800"',
    "-",
    "nul",
    '"\x01"',
    "\ufeff",
)
CELLS = (
    *(
        "",
        " ",
        "=1+1",
        "＝1",
        "\x1b[31m",
        "[/b]",
        "\u202e",
        '"',
        '""',
        '"x',
        "x" * 2000,
        "9" * 5000,
        "1e400",
        "-5",
        "nan",
        "inf",
    ),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "2026-06-18",
        "A;B;C",
        "A,B",
        "Z",
        "\x00",
        "\n",
        "\r",
        "a/b",
        "\t",
    ),
    *(
        "٣",
        "²",
        "１２",
        "1_0",
        "+1",
        "EX",
        "N/A",
        "50%",
        "1,5",
        "1.234,5",
        "\ufeff",
        "\u200b",
        "../x",
        "CON",
        "é",
        "e\u0301",
    ),
)


@dataclass(frozen=True)
class Family:
    """A kind of hostile input. Where it is `noticed`, the command has to end with another code than 0.

    `share` says how many cases are drawn of it, as a part of what is drawn of others: some take longer.
    """

    name: str
    spoil: Callable[[Draw, Path], Arguments]
    noticed: bool = False
    share: float = 1.0


def spoilt_bytes(draw: Draw, content: bytes) -> bytes:
    """A byte turned, a piece cut out, repeated or put in, or the end cut off."""
    at = draw(st.integers(0, max(0, len(content) - 1)))
    match draw(st.sampled_from(("turn", "cut", "end", "put", "twice"))):
        case "turn":
            return content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
        case "cut":
            return content[:at] + content[at + draw(st.integers(1, 40)) :]
        case "end":
            return content[:at]
        case "put":
            return content[:at] + draw(st.binary(min_size=1, max_size=12)) + content[at:]
    return content[:at] + content[max(0, at - 30) :]


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in plain data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """`data` with `value` at `path`."""
    if not path:
        return value
    for step in path[:-1]:
        data = data[step]
    data = data.__setitem__(path[-1], value)
    return None


def spoilt_yaml(draw: Draw, path: Path) -> None:
    """A scalar for any value of a document, a line for any line, or bytes."""
    text = path.read_text(encoding="utf-8")
    way = draw(st.sampled_from(("value", "value", "value", "key", "line", "bytes")))
    if way == "bytes":
        path.write_bytes(spoilt_bytes(draw, text.encode()))
        return
    if way == "line":
        lines = text.splitlines()
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(LINES)))
        path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
        return
    data = yaml.safe_load(text)
    where = draw(st.sampled_from(places(data)[1:] or [()]))
    mark = "HERE-IT-STANDS"
    if way == "key" and where and isinstance(where[-1], str):
        parent = data
        for step in where[:-1]:
            parent = parent[step]
        parent[mark] = parent.pop(where[-1])
    else:
        put(data, where, mark)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10**6)
    path.write_bytes(text.replace(mark, draw(st.sampled_from(SCALARS)), 1).encode("utf-8", "surrogatepass"))


def spoilt_json(draw: Draw, path: Path) -> None:
    """Another value anywhere in a file of JSON, a key gone or added, or bytes."""
    content = path.read_bytes()
    way = draw(st.sampled_from(("value", "value", "raw", "gone", "more", "bytes")))
    if way == "bytes":
        path.write_bytes(spoilt_bytes(draw, content))
        return
    data = json.loads(content)
    where = draw(st.sampled_from(places(data)[1:]))
    if way == "value":
        put(data, where, draw(st.sampled_from(VALUES)))
    elif way == "raw":
        put(data, where, "HERE-IT-STANDS")
    else:
        parent = data
        for step in where[:-1]:
            parent = parent[step]
        if way == "gone":
            del parent[where[-1]]
        elif isinstance(parent, dict):
            parent["more"] = draw(st.sampled_from(VALUES))
        else:
            parent.append(draw(st.sampled_from(VALUES)))
    text = json.dumps(data)
    if way == "raw":
        text = text.replace('"HERE-IT-STANDS"', draw(st.sampled_from(RAW)), 1)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def spoilt_csv(draw: Draw, path: Path) -> None:
    """Another cell, a row or column too many, or bytes."""
    text = path.read_text(encoding="utf-8")
    if draw(st.integers(0, 3)) == 0:
        path.write_bytes(spoilt_bytes(draw, text.encode()))
        return
    rows = [line.split(",") for line in text.splitlines()]
    row = draw(st.sampled_from(rows))
    at = draw(st.integers(0, len(row) - 1))
    match draw(st.sampled_from(("cell", "cell", "cell", "more", "wide", "twice", "separator"))):
        case "cell":
            row[at] = draw(st.sampled_from(CELLS))
        case "more":
            row.insert(at, draw(st.sampled_from(CELLS)))
        case "wide":
            row.extend([""] * 20_000)
        case "twice":
            rows.insert(1, list(row))
        case "separator":
            row[:] = [";".join(row)]
    path.write_bytes("\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass"))


YAML_COMMANDS: tuple[tuple[str, Arguments], ...] = (
    ("answers.yaml", ("check", "answers.yaml", *Q)),
    ("answers.yaml", ("grade", "answers.yaml", *Q)),
    ("class.yaml", ("grade", "class.csv", "--class", "class.yaml", *Q, "--out", "other")),
    ("override.yaml", ("key", "--evidence", "cached", "--override", "override.yaml", *Q)),
    ("changes.yaml", ("regrade", "run", "changes.yaml", *Q, "--out", "other")),
    ("quiz/quiz.yaml", ("validate", "quiz")),
    ("quiz/q01.yaml", ("validate", "quiz")),
    ("quiz/q02.yaml", ("key", "--evidence", "cached", *Q)),
    ("quiz/quiz.yaml", ("grade", "class.csv", "--class", "class.yaml", *Q, "--out", "other")),
    ("quiz/quiz.yaml", ("export", "student", *Q, "--out", "other", "--opening", "o.json")),
    ("edition/quiz.yaml", ("check", "answers.yaml", "--quiz", "edition")),
    ("quiz/q03.yaml", ("export", "qti", *Q, "--out", "other.zip")),
    ("quiz/q03.yaml", ("why", "q03", *Q, "--evidence", "cached")),
    ("quiz/q01.yaml", ("items", "run", *Q)),
)
CSV_COMMANDS: tuple[tuple[str, Arguments], ...] = (
    ("class.csv", ("grade", "class.csv", "--class", "class.yaml", *Q, "--out", "other")),
    ("class.csv", ("grade", "class.csv", *Q)),
    ("class.csv", ("sensitivity", "class.csv", *Q)),
    (
        "gradebook.csv",
        ("export", "canvas", "--gradebook", "gradebook.csv", "run", "--assignment", "123456", "--out", "o.csv"),
    ),
    ("gradebook.csv", ("export", "check", "gradebook.csv", "--gradebook", "gradebook.csv")),
)
RUN_COMMANDS: tuple[Arguments, ...] = (
    ("regrade", "run", "changes.yaml", *Q, "--out", "other"),
    ("regrade", "run", "new", *Q),
    ("items", "run", *Q),
    ("sensitivity", "run", *Q),
    ("export", "canvas", "--gradebook", "gradebook.csv", "run", "--assignment", "123456", "--out", "o.csv"),
    ("export", "gradescope", "run", "--out", "other", *Q),
    ("appeal", "q02", "A", "--student", "b12901002", "--result", "run", *Q),
    ("appeal", "--list", "--result", "run"),
    ("grade", "class.csv", "--class", "class.yaml", *Q, "--override", "run", "--out", "other"),
    ("grade", "class.csv", "--class", "class.yaml", *Q, "--out", "run"),
)


def yaml_files(draw: Draw, world: Path) -> Arguments:
    """Any YAML file, before a command that reads it."""
    name, arguments = draw(st.sampled_from(YAML_COMMANDS))
    spoilt_yaml(draw, world / name)
    return arguments


def csv_files(draw: Draw, world: Path) -> Arguments:
    """Any CSV file, before a command that reads it."""
    name, arguments = draw(st.sampled_from(CSV_COMMANDS))
    spoilt_csv(draw, world / name)
    return arguments


def run_records(draw: Draw, world: Path) -> Arguments:
    """A run's result, before anything that looks at it again: what was changed by hand is never used."""
    spoilt_json(draw, world / "run" / "result.json")
    return draw(st.sampled_from(RUN_COMMANDS[:-1]))


def other_records(draw: Draw, world: Path) -> Arguments:
    """Ledger entries, appeals, seals, openings, evidence in the store and its pointers."""
    kind = draw(st.sampled_from(("ledger", "appeals", "seal", "opening", "evidence", "latest")))
    match kind:
        case "ledger":
            spoilt_json(draw, draw(st.sampled_from(sorted((world / "run/ledger").glob("*.json")))))
            return draw(st.sampled_from((("ledger", "run"), *RUN_COMMANDS)))
        case "appeals":
            spoilt_json(draw, world / "run/appeals/q01-C-b12901001.json")
            return draw(st.sampled_from((("ledger", "run"), ("appeal", "--list", "--result", "run"), APPEAL)))
        case "seal" | "opening":
            spoilt_json(draw, world / ("edition/commitment.json" if kind == "seal" else "opening.json"))
            return ("export", "open", "edition", "opening.json")
        case "evidence":
            [path] = (world / "store/evidence").rglob("*.json")
            spoilt_json(draw, path)
        case _:
            path = draw(st.sampled_from(sorted((world / "store" / kind).rglob("*.*"))))
            path.write_bytes(spoilt_bytes(draw, path.read_bytes() or b"x"))
    return draw(st.sampled_from((("key", *Q), ("key", *Q, "--evidence", "cached"), ("why", "q01", "--cache", *Q))))


APPEAL = ("appeal", "q01", "C", "--student", "b12901001", "--result", "run", *Q)
INPUTS: tuple[Arguments, ...] = (
    ("check", "@", *Q), ("grade", "@", *Q), ("validate", "@"), ("key", "--quiz", "@"), ("key", *Q, "--override", "@"),
    ("grade", "class.csv", *Q, "--class", "@"), ("regrade", "run", "@", *Q), ("regrade", "@", "changes.yaml", *Q),
    ("items", "@", *Q), ("sensitivity", "@", *Q), ("appeal", "--list", "--result", "@"), ("ledger", "@"),
    ("export", "canvas", "--gradebook", "@", "run", "--assignment", "123456"),
    ("export", "canvas", "--gradebook", "gradebook.csv", "@", "--assignment", "123456"),
    ("export", "check", "@", "--gradebook", "gradebook.csv"), ("export", "gradescope", "@", "--out", "other", *Q),
    ("export", "open", "@", "opening.json"), ("export", "open", "edition", "@"), ("record", "verify", "@"),
    ("record", "verify", "quiz", "--signers", "@"), ("report", *Q, "--grades", "@", "--out", "r.html"),
    ("evidence", *Q, "--pairs", "@"), ("evidence", *Q, "--clips", "@"), ("facts", "list", "--quiz", "@"),
    ("new", "class", "--quiz", "@", "--out", "other"), ("record", "sign", "--key", "@", "quiz"),
)  # fmt: skip
OUTPUTS: tuple[Arguments, ...] = (
    ("grade", "class.csv", "--class", "class.yaml", *Q, "--out", "@"),
    ("regrade", "run", "changes.yaml", *Q, "--out", "@"),
    ("export", "canvas", "--gradebook", "gradebook.csv", "run", "--assignment", "123456", "--out", "@"),
    ("export", "gift", *Q, "--out", "@"),
    ("export", "qti", *Q, "--out", "@"),
    ("export", "student", *Q, "--out", "@", "--opening", "o.json"),
    ("export", "student", *Q, "--out", "other", "--opening", "@"),
    ("export", "gradescope", "run", "--out", "@", *Q),
    ("new", "class", *Q, "--out", "@"),
    ("report", *Q, "--edition", "before", "--out", "@"),
)  # fmt: skip
KINDS = (
    "missing", "folder", "pipe", "zero", "null", "full", "socket", "loop", "long", "deep", "inside", "bytes",
    "empty", "dot",
    "stdin", "memory", "escape", "markup", "dangling", "slash", "surrogate", "kernel",
)  # fmt: skip


ONLY_READ = ("stdin", "memory", "kernel")
"""Places outside of the world. None is ever named where something is written: a fault would harm the machine."""
DEVICES = {"null": 3, "zero": 5, "full": 7}


def _device(path: Path, kind: str) -> str:
    """A device of its own for the case, where this user may make one; else a pipe."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, DEVICES[kind]))
    except PermissionError:
        os.mkfifo(path)
    return "here"


def place(kind: str, world: Path) -> str:
    """A path of this kind, made where it takes making."""
    path = world / "here"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "zero" | "null" | "full":
            return _device(path, kind)
        case "stdin":
            return "/dev/stdin"
        case "socket":
            with socket.socket(socket.AF_UNIX) as made:
                os.chdir(world)
                made.bind("here")
        case "loop":
            path.symlink_to("here")
        case "dangling":
            path.symlink_to("nowhere/at/all")
        case "long":
            return "x" * 300 + ".yaml"
        case "deep":
            return "d/" * 2500 + "x"
        case "inside":
            return "class.csv/x.yaml"
        case "bytes":
            path.write_bytes(bytes(range(256)) * 40)
        case "empty":
            return ""
        case "dot":
            return "."
        case "memory":
            return "/proc/self/mem"
        case "kernel":
            return "/proc/self/pagemap"
        case "escape":
            return "\x1b[2Jx\x9b.yaml"
        case "markup":
            return "[/b][red].csv"
        case "slash":
            return "class.csv/"
        case "surrogate":
            return "\udcff\udcfe.yaml"
    return "here"


def paths(draw: Draw, world: Path) -> Arguments:
    """A path of any kind where a command reads or writes."""
    arguments = draw(st.sampled_from(INPUTS + OUTPUTS))
    kinds = KINDS if arguments in INPUTS else [kind for kind in KINDS if kind not in ONLY_READ]
    name = place(draw(st.sampled_from(kinds)), world)
    return tuple(name if word == "@" else word for word in arguments)


def plugin(draw: Draw, world: Path) -> Arguments:
    """Answers and decisions for `pytest quiz/`: whatever is wrong with them is a usage error."""
    name = draw(st.sampled_from(("answers.yaml", "override.yaml", "run/result.json", "")))
    option = "--answers" if name == "answers.yaml" else "--override" if name else draw(st.sampled_from(GIVEN))
    if name.endswith(".yaml"):
        spoilt_yaml(draw, world / name)
    elif name:
        spoilt_json(draw, world / name)
        name = "run"
    else:
        name = place(draw(st.sampled_from(KINDS)), world)
    return ("pytest", f"{option}={name}", "-q", "quiz/q01.yaml")


def disks(draw: Draw, world: Path) -> Arguments:  # noqa: ARG001
    """A disk that is full after some bytes of a file, or whose folder takes no more files."""
    arguments = draw(st.sampled_from(OUTPUTS + RUN_COMMANDS))
    out = draw(st.sampled_from(("here", "run", "here/deep/er")))
    return (*WITH_FILES_OF, str(draw(st.integers(3000, 30_000))), *(out if word == "@" else word for word in arguments))


GIVEN = ("--answers", "--override")
WORDS = (
    "[/b]",
    "[bold]x[/bold]",
    "\x1b]0;x\x07",
    "\x9b31mred",
    "\u202eright",
    ":smile:",
    "{}",
    "%s",
    "x\ry",
    "\x00",
    "\udcff",
)
OPTIONS: tuple[Arguments, ...] = (
    ("why", "@", *Q), ("why", "q01", "@", *Q), ("grade", "class.csv", *Q, "--rule", "@"), ("key", *Q, "--accept", "@"),
    ("appeal", "@", "A", "--student", "b12901002", "--result", "run", *Q),
    ("appeal", "q02", "@", "--student", "b12901002", "--result", "run", *Q),
    ("appeal", "q02", "A", "--student", "@", "--result", "run", *Q),
    ("appeal", "q02", "A", "--student", "b12901002", "--result", "run", *Q, *("--decision", "rejected", "--by", "@"),
     "--reason", "long enough @"),
    ("export", "canvas", "--gradebook", "gradebook.csv", "run", "--assignment", "@"),
    ("sensitivity", "run", *Q, "--line", "@"),
    ("@",), ("--@",), ("facts", "confirm", "@", "--value", "@", "--locator", "@", "--quote", "@", "--by", "@", *Q),
)  # fmt: skip
TEXTS = ("title", "prompt", "id", "course")


def texts(draw: Draw, world: Path) -> Arguments:
    """Escape sequences, markup and overrides of direction, in options and in the texts of files."""
    word = draw(st.sampled_from(WORDS))
    if draw(st.booleans()):
        arguments = draw(st.sampled_from(OPTIONS))
        return tuple(part.replace("@", word.replace("\x00", "0")) for part in arguments)
    clean = word.encode("utf-8", "replace").decode().replace("\x00", "0")
    match draw(st.sampled_from(("quiz", "question", "option", "csv", "class", "key"))):
        case "quiz":
            _set(world / "quiz/quiz.yaml", ("title",), clean)
            return draw(st.sampled_from((("validate", "quiz"), ("key", "--evidence", "cached", *Q), RUN_COMMANDS[0])))
        case "question":
            _set(world / "quiz/q01.yaml", ("title",), clean)
            return draw(
                st.sampled_from(
                    (("check", "answers.yaml", *Q), ("validate", "quiz"), ("export", "gift", *Q, "--out", "g"))
                )
            )
        case "option":
            _set(world / "quiz/q01.yaml", ("options", "A", "text"), clean)
            return draw(st.sampled_from((("key", "--evidence", "cached", *Q), ("why", "q01", *Q))))
        case "csv":
            path = world / "class.csv"
            path.write_text(path.read_text().replace("Student 2", clean).replace("b12901003", f"b12901003{clean}"))
            return draw(st.sampled_from(RUN_COMMANDS[-2:]))
        case "class":
            path = world / "class.yaml"
            path.write_text(path.read_text().replace("a test account", json.dumps(clean)))
            return RUN_COMMANDS[-1]
    _set(world / "quiz/quiz.yaml", (clean,), "x")
    return ("validate", "quiz")


def _set(path: Path, where: tuple[str, ...], value: str) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    put(data, where, value)
    path.write_text(json.dumps(data), encoding="utf-8")


def tampering(draw: Draw, world: Path) -> Arguments:
    """A run's folder, altered in any way: the ledger says so."""
    run = world / "run"
    files = sorted(path for path in run.rglob("*") if path.is_file() and path.name != ".lock")
    path = draw(st.sampled_from(files))
    match draw(st.sampled_from(("edit", "edit", "gone", "empty", "tail", "all", "older", "folder", "swap"))):
        case "edit":
            content = path.read_bytes()
            at = draw(st.integers(0, len(content) - 1))
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "tail":
            (run / "ledger/000002.json").unlink()
            for appeal in (run / "appeals").iterdir():
                appeal.unlink()
        case "all":
            for entry in (run / "ledger").glob("*.json"):
                entry.unlink()
        case "older":
            entry = run / "ledger/000002.json"
            data = json.loads(entry.read_text())
            data["time"] = "2026-01-01T00:00:00+00:00"
            entry.write_text(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")
        case "folder":
            import shutil

            shutil.rmtree(run / draw(st.sampled_from(("feedback", "appeals", "ledger/objects"))))
        case "swap":
            other = draw(st.sampled_from([file for file in files if file.read_bytes() != path.read_bytes()]))
            path.write_bytes(other.read_bytes())
    return ("ledger", "run")


def claims(draw: Draw, world: Path) -> Arguments:
    """Claims with many alternatives: decided, or told to be too complex, in bounded time."""
    leaf = st.builds(
        lambda way, bound: {way: ["dice." + ("sides" if bound % 2 else "mean"), bound / 7]},
        st.sampled_from(("at_least", "at_most")),
        st.integers(1, 60),
    )
    inner = st.recursive(leaf, lambda part: st.one_of(
        st.builds(lambda parts: {"any": parts}, st.lists(part, min_size=1, max_size=12)),
        st.builds(lambda parts: {"all": parts}, st.lists(part, min_size=1, max_size=12)),
        st.builds(lambda part: {"not": part}, part),
    ), max_leaves=120)  # fmt: skip
    path = world / "quiz/q01.yaml"
    data = json.loads(path.read_text())
    shape = draw(st.sampled_from(("drawn", "cnf", "deep", "wide")))
    pair = [{"at_least": ["dice.mean", 2.0]}, {"at_most": ["dice.sides", 9.0]}]
    n = draw(st.integers(5, 400))
    data["options"]["A"]["claim"] = {
        "drawn": lambda: draw(inner),
        "cnf": lambda: {
            "all": [
                {"any": [{"at_least": ["dice.mean", i / n + 2]}, {"at_most": ["dice.sides", 9.0 + i]}]}
                for i in range(n)
            ]
        },
        "deep": lambda: _nested(min(n, 60)),
        "wide": lambda: {"any": [{"all": pair}] * n},
    }[shape]()
    path.write_text(json.dumps(data))
    return ("validate", "quiz")


def _either(mean: float, sides: float) -> dict[str, Any]:
    return {"any": [{"at_least": ["dice.mean", mean]}, {"at_most": ["dice.sides", sides]}]}


def _nested(depth: int) -> dict[str, Any]:
    claim: dict[str, Any] = {"at_least": ["dice.mean", 2.0]}
    for i in range(depth):
        claim = {"not": claim} if i % 3 else {"any": [claim, claim]} if i < 12 else {"all": [claim]}
    return claim


FAMILIES = (
    Family("yaml", yaml_files),
    Family("csv", csv_files),
    Family("results", run_records, noticed=True),
    Family("records", other_records),
    Family("paths", paths),
    Family("disks", disks),
    Family("pytest", plugin, share=0.15),
    Family("texts", texts),
    Family("claims", claims),
    Family("ledger", tampering, noticed=True),
)
