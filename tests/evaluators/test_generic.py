"""Evidence without a package: functions, notebooks, tables, programs and facts that lie in a quiz's folder."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from basics.errors import InputError
from evaluators.evidence import Measurement
from evaluators.store import Store
from grader.quiz.loading import load_quiz
from grader.verdicts.testimony import Gatherer, Result, answer_key

SOURCES = ["measured", "executed", "published", "simulated", "saved"]
WORKING = "def power(n=10):\n    return {'power': n / 100}\n"
ENDS = {"column": "s", "interval": {"low": "low", "high": "high"}}
POWER = {"python": "evidence.py:power", "gives": ["power"]}


class Quiz:
    """A quiz of one question in a folder, as its author would write it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, text: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def ask(self, *evidence: Mapping[str, Any], claim: object = None) -> Result:
        """What became of the last of these requests."""
        self.pose(*evidence, claim=claim)
        book = load_quiz(self.folder)
        store = Store(self.folder.parent / "store")
        return Gatherer(book, book.quiz.accept, book.site, store, "auto").results(book.questions, lambda *_: None)[-1]

    def pose(self, *evidence: Mapping[str, Any], claim: object = None) -> None:
        name = next(iter(_names(evidence[-1])), "nothing")
        options = {"A": {"text": "yes", "claim": claim or {"undefined": name}}}
        options["B"] = {"text": "no", "claim": {"not": options["A"]["claim"]}}
        question = {"id": "a", "title": "A", "points": 1, "choose": "one", "prompt": "?", "options": options}
        quiz = {"id": "q", "title": "Q", "total": 1, "deadline": "2026-03-01T12:00:00+00:00", "accept": SOURCES}
        self.write("a.yaml", yaml.safe_dump({**question, "evidence": list(evidence)}, sort_keys=False))
        self.write("quiz.yaml", yaml.safe_dump({**quiz, "questions": ["a.yaml"]}))


def _names(request: Mapping[str, Any]) -> Iterator[str]:
    prefix = f"{request['as']}." if "as" in request else ""
    yield from (f"{prefix}{name}" for name in (request.get("gives") or request.get("take") or ()))


@pytest.fixture
def quiz(tmp_path: Path) -> Quiz:
    return Quiz(tmp_path / "quiz")


def found(result: Result) -> dict[str, Measurement]:
    assert result.problem is None, result.problem
    assert result.evidence is not None
    return {m.name: m for m in result.evidence.measurements}


def problem(result: Result) -> str:
    assert result.problem is not None
    assert result.problem.cause == "input", result.problem
    assert "Traceback" not in result.problem.what
    return result.problem.what


# ---- python


def test_a_function_gives_numbers_truth_values_and_what_has_none(quiz: Quiz) -> None:
    quiz.write(
        "evidence.py",
        "import math\n"
        "def power(n):\n"
        "    return {'power': n / 100, 'large': n > 5, 'none': None, 'nan': math.nan, 'beyond': math.inf,\n"
        "            'mean': {'value': 0.5, 'low': 0.4, 'high': 0.6, 'n': 30, 'over': 'runs'},\n"
        "            'why': {'undefined': 'nobody came'}, 'more': [1, 2]}\n",
    )
    gives = {"power": {"unit": "share", "at_least": 0, "at_most": 1, "meaning": "how often"}, "large": {"kind": "bool"}}
    gives |= dict.fromkeys(["none", "nan", "beyond", "mean", "why"])
    values = found(quiz.ask({"python": "evidence.py:power", "with": {"n": 10}, "gives": gives}))
    assert {name: m.value for name, m in values.items() if m.undefined is None} == {
        "power": 0.1,
        "large": True,
        "mean": 0.5,
    }
    assert {name: m.undefined for name, m in values.items() if m.undefined} == {
        "none": "it is None",
        "nan": "it is nan",
        "beyond": "it is inf",
        "why": "nobody came",
    }
    interval = values["mean"].interval
    assert interval is not None
    assert (interval.low, interval.high, interval.over, values["mean"].n) == (0.4, 0.6, "runs", 30)
    assert {m.source for m in values.values()} == {"executed"}
    assert (values["power"].unit, values["power"].locator) == ("share", "evidence.py:power")


def test_numbers_of_numpy_are_numbers(quiz: Quiz) -> None:
    quiz.write(
        "evidence.py", "import numpy as np\ndef power():\n    return {'power': np.float64(0.5), 'b': np.True_}\n"
    )
    result = quiz.ask({"python": "evidence.py:power", "gives": {"power": {}, "b": {"kind": "bool"}}})
    assert [m.value for m in found(result).values()] == [0.5, True]
    assert result.evidence is not None
    assert "numpy" in result.evidence.provenance.packages


def test_a_simulation_is_a_source_of_its_own_and_repeats_itself(quiz: Quiz) -> None:
    quiz.write(
        "evidence.py",
        "import os, random\n"
        "def power(seed):\n"
        "    words = list({'a', 'b', 'c', 'd', 'e', 'f'})\n"
        "    return {'power': random.random(), 'seed': seed, 'same': os.environ['EARWITNESS_SEED'] == str(seed),\n"
        "            'order': sum(words.index(w) * 6**i for i, w in enumerate('abcdef'))}\n",
    )
    gives = {"power": {}, "seed": {}, "same": {"kind": "bool"}, "order": {}}
    asked = {"python": "evidence.py:power", "source": "simulated", "seed": 5, "gives": gives}
    first = found(quiz.ask(asked))
    assert {m.source for m in first.values()} == {"simulated"}
    assert (first["seed"].value, first["same"].value) == (5, True)
    shutil.rmtree(quiz.folder.parent / "store")
    assert found(quiz.ask(asked)) == first
    assert found(quiz.ask({**asked, "seed": 6}))["power"] != first["power"]


def giving(value: str) -> str:
    return f"def power():\n    return {value}\n"


NOISY = """def power():
    print('x' * 300)
    for i in range(40):
        print('line', i)
    raise ValueError('so')
"""
UNNAMED = "is in the quiz, and not named here: add it to"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (giving("{'power': 1 / 0}"), "evidence.py:power: ZeroDivisionError: division by zero (evidence.py line 2)"),
        ("def power(:\n", "evidence.py:power: SyntaxError"),
        (giving("{'powr': 1}"), "evidence.py:power: gave nothing called power\n    -> did you mean powr?"),
        (giving("{'power': [1, 2]}"), "power is a list ([1, 2]), expected a number or a truth value"),
        (giving("{'power': '0.5'}"), "power is a str ('0.5'), expected a number or a truth value"),
        (giving("{'power': True}"), "power is True, announced as a number"),
        (giving("{'power': 10**5000}"), "a whole number that is too large"),
        (giving("{'power': {'value': 1, 'low': 2, 'high': 3}}"), "power: 1 lies outside its own interval"),
        (giving("{'power': {'value': 1, 'low': 0}}"), "an interval has both a low and a high end"),
        (giving("0.5"), "it returned 0.5, expected a dict of names and values"),
        (giving("[1]"), "it returned a list ([1]), expected a dict of names and values"),
        ("def power(n):\n    return {}\n", "TypeError: power() missing 1 required positional argument: 'n'"),
        ("def powr():\n    return {}\n", "the file has no function power\n    -> did you mean powr?"),
        ("raise SystemExit('no')\n", "SystemExit: no (evidence.py line 1)"),
        ("import os\nos._exit(3)\n", "ended without an answer (exit status 3)"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "ended without an answer (SIGSEGV)"),
        (giving("open('data.csv')"), f"data.csv {UNNAMED} `reads: [data.csv]`"),
        ("import helper\n", f"helper.py {UNNAMED} `reads: [helper.py]`"),
        ("import no_such_package\n", "-> install no-such-package"),
        (NOISY, "    | line 39"),
    ],
)
def test_what_goes_wrong_is_a_fault_of_the_evidence_and_named(quiz: Quiz, code: str, told: str) -> None:
    quiz.write("data.csv", "a\n1\n")
    quiz.write("helper.py", "")
    quiz.write("evidence.py", code)
    assert told in problem(quiz.ask(POWER))


def test_every_fault_of_a_dict_is_told_at_once(quiz: Quiz) -> None:
    quiz.write("evidence.py", "def power():\n    return {'a': [], 'b': 7}\n")
    told = problem(quiz.ask({"python": "evidence.py:power", "gives": {"a": {}, "b": {"at_most": 1}, "c": {}}}))
    assert told.count("evidence.py:power") == 3
    assert "b is 7, announced within [-inf, 1]" in told


def test_named_files_are_there_and_a_module_beside_it_can_be_imported(quiz: Quiz) -> None:
    quiz.write("code/helper.py", "HALF = 0.5\n")
    quiz.write("data/lab.csv", "7")
    quiz.write(
        "code/evidence.py",
        "from helper import HALF\ndef f():\n    return {'x': HALF * int(open('data/lab.csv').read())}\n",
    )
    asked = {"python": "code/evidence.py:f", "reads": ["data/lab.csv", "code/helper.py"], "gives": ["x"]}
    assert found(quiz.ask(asked))["x"].value == 3.5


def test_it_ends_after_its_time_with_all_that_it_started(quiz: Quiz, tmp_path: Path) -> None:
    mark = f"earwitness-{os.getpid()}-{tmp_path.name}"
    quiz.write("evidence.py", SLEEPING.replace("MARK", mark))
    told = problem(quiz.ask({**POWER, "timeout": 2}))
    assert "evidence.py:power: gave no answer within 2 s" in told
    assert "`timeout: SECONDS`" in told
    assert not any(mark in line for line in running())


SLEEPING = """import subprocess, sys, time
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)', 'MARK'])
time.sleep(99)
"""


def running() -> Iterator[str]:
    """The command lines of all processes that are not yet dead."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield process.read_text(errors="replace")
        except OSError:
            continue


def test_nothing_is_written_outside_and_no_secret_is_handed_on(
    quiz: Quiz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_TOKEN", "secret")
    outside = tmp_path / "outside.txt"
    quiz.write(
        "evidence.py",
        "import os\n"
        "from pathlib import Path\n"
        "def power(place, mine):\n"
        "    Path('own.txt').write_text('fine')\n"
        "    Path.home().joinpath('cache').write_text('fine')\n"
        "    refused = 0\n"
        "    for act in (lambda: Path(place).write_text('x'), lambda: os.remove(mine), lambda: os.mkdir(place)):\n"
        "        try:\n            act()\n"
        "        except PermissionError:\n            refused += 1\n"
        "    return {'power': refused, 'secrets': 'COURSE_TOKEN' in os.environ, 'read': os.path.exists(mine)}\n",
    )
    before = sorted(path.name for path in quiz.folder.rglob("*"))
    gives = {"power": {}, "secrets": {"kind": "bool"}, "read": {"kind": "bool"}}
    arguments = {"place": str(outside), "mine": str(quiz.folder / "evidence.py")}
    values = found(quiz.ask({"python": "evidence.py:power", "with": arguments, "gives": gives}))
    assert (values["power"].value, values["secrets"].value) == (3, False)
    assert not outside.exists()
    assert sorted(path.name for path in quiz.folder.rglob("*") if path.suffix != ".yaml") == before


def test_a_file_outside_the_quiz_is_refused(quiz: Quiz, tmp_path: Path) -> None:
    (tmp_path / "evidence.py").write_text(WORKING)
    quiz.pose({"python": "../evidence.py:power", "gives": ["power"]})
    with pytest.raises(InputError, match="has to be a path inside the quiz's folder"):
        load_quiz(quiz.folder)
    (quiz.folder / "evidence.py").symlink_to(tmp_path / "evidence.py")
    quiz.pose(POWER)
    with pytest.raises(InputError, match=r"a\.yaml:\d+: evidence\.py: lies outside the quiz's folder"):
        load_quiz(quiz.folder)


def test_a_file_that_is_not_there_is_told_before_anything_runs(quiz: Quiz) -> None:
    quiz.pose({"table": "bnch.csv", "take": {"x": {"column": "s"}}})
    with pytest.raises(InputError, match=r"a\.yaml:\d+: bnch\.csv: there is no such file in the quiz"):
        load_quiz(quiz.folder)


@pytest.mark.parametrize("online", [False, True])
def test_there_is_no_network_unless_the_question_allows_it(quiz: Quiz, online: bool) -> None:
    """A server on an address of this machine that is not its loopback stands for the network."""
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        address = outer_address()
        connecting = "import socket\ndef power(host, port):\n    socket.create_connection((host, port), 5)\n"
        quiz.write("evidence.py", connecting + "    return {'power': 1}\n")
        arguments = {"host": address, "port": server.getsockname()[1]}
        result = quiz.ask({**POWER, "with": arguments, "online": online, "timeout": 60})
    if online:
        assert found(result)["power"].value == 1
    else:
        told = problem(result)
        assert "say `online: true` beside this evidence" in told
        assert address in told


def outer_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        return str(probe.getsockname()[0])


def test_its_source_is_part_of_the_fingerprint_and_its_place_is_not(quiz: Quiz, tmp_path: Path) -> None:
    def fingerprint(one: Quiz, *evidence: Mapping[str, Any]) -> str:
        result = one.ask(*evidence)
        assert result.evidence is not None
        return result.evidence.fingerprint

    quiz.write("evidence.py", WORKING)
    first = fingerprint(quiz, POWER)
    moved = Quiz(tmp_path / "elsewhere" / "moved")
    moved.write("code/other.py", WORKING)
    assert fingerprint(moved, {"python": "code/other.py:power", "gives": ["power"]}) == first
    quiz.write("evidence.py", WORKING + "# edited\n")
    assert fingerprint(quiz, POWER) != first
    assert fingerprint(quiz, {**POWER, "with": {"n": 11}}) != fingerprint(quiz, POWER)


def test_claims_are_checked_from_the_yaml_alone(quiz: Quiz) -> None:
    quiz.write("evidence.py", "raise SystemExit('nobody may run this')\n")
    quiz.pose({**POWER, "as": "small"}, claim={"at_least": ["small.pwer", 0.5]})
    with pytest.raises(InputError, match=r"'small\.pwer' is not offered by this question's evidence\n.*small\.power"):
        load_quiz(quiz.folder)
    quiz.pose({**POWER, "gives": {"power": {"at_most": 1}}}, claim={"above": ["power", 1]})
    with pytest.raises(InputError, match="refuted whatever the evidence says: power > 1"):
        load_quiz(quiz.folder)
    quiz.pose({**POWER, "gives": {"power": {"kind": "bool"}}}, claim={"at_least": ["power", 1]})
    with pytest.raises(InputError, match="power is a bool, and is compared as a number"):
        load_quiz(quiz.folder)
    quiz.pose(POWER, claim={"at_least": ["power", 1]})
    assert load_quiz(quiz.folder).questions


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"python": "evidence.py", "gives": ["power"]}, "has to name a file and a function of it"),
        ({"python": "evidence.py:power"}, "gives is missing"),
        ({"python": "evidence.py:power", "gives": []}, "gives"),
        ({"python": "evidence.py:power", "gives": ["power", "power"]}, "names power twice"),
        ({"python": "evidence.py:power", "gives": ["Power"]}, "gives"),
        ({"python": "evidence.py:power", "gives": {"power": {"at_least": 2, "at_most": 1}}}, "leaves no room"),
        ({"python": "evidence.py:power", "give": ["power"]}, "give is not a known key"),
        ({"python": "evidence.py:power", "table": "a.csv", "gives": ["power"]}, "names python and table at once"),
        ({"command": "du --json", "take": {"total": "total"}}, "write it as a list: [du, --json]; there is no shell"),
        ({"table": "b.csv", "take": {"x": {"aggregate": "mean"}}}, "name the column whose cells are taken"),
        ({"table": "b.csv", "take": {"x": {"column": "s", "interval": "bootstrap"}}}, "no bootstrap interval of"),
        ({"table": "b.csv", "take": {"x": ENDS | {"aggregate": "sum"}}}, "`sum` of several rows has no interval"),
        ({"notebook": "lab.ipynb", "take": {"x": {}}}, "name one of variable, tag and cell"),
        ({"notebook": "lab.ipynb", "outputs": "saved", "take": {"x": {"variable": "x"}}}, "variables are not saved"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_meant_is_refused_with_its_line(
    quiz: Quiz, request_: dict[str, Any], told: str
) -> None:
    quiz.pose(request_, claim={"at_least": ["power", 1]})
    with pytest.raises(InputError) as refused:
        load_quiz(quiz.folder)
    assert told in str(refused.value)
    assert all(one.where.startswith("a.yaml:") for one in refused.value.problems)


# ---- tables

BENCH = "Method, s ,ok\nquicksort,1.0,true\nquicksort,1.4,true\nmergesort,2,false\nheapsort,fast,true\nheapsort,,true\n"


def take(quiz: Quiz, file: str = "bench.csv", **columns: Mapping[str, Any]) -> Result:
    return quiz.ask({"table": file, "take": columns})


def test_numbers_of_a_table(quiz: Quiz) -> None:
    quiz.write("bench.csv", BENCH)
    quick = {"column": "s", "where": {"method": "quicksort"}}
    values = found(
        take(
            quiz,
            one={"column": "s", "where": {"method": "mergesort"}, "unit": "s"},
            mean={**quick, "aggregate": "mean"},
            low={**quick, "aggregate": "min"},
            two={"column": "s", "where": {"method": ["quicksort", "mergesort"]}, "aggregate": "median"},
            rows={"aggregate": "count", "where": {"s": 2}},
            none={"column": "s", "where": {"method": "bogosort"}},
            ok={"column": "ok", "where": {"method": "mergesort"}, "kind": "bool"},
        )
    )
    assert {name: (m.value, m.n) for name, m in values.items() if m.value is not None} == {
        "one": (2, 1),
        "mean": (1.2, 2),
        "low": (1.0, 2),
        "two": (1.4, 3),
        "rows": (1, 5),
        "ok": (False, 1),
    }
    assert values["none"].undefined == (
        "no row of bench.csv has method = bogosort; method is one of: quicksort, mergesort, heapsort"
    )
    assert {m.source for m in values.values()} == {"measured"}
    assert values["mean"].locator == "bench.csv, mean of s where method = quicksort"


def test_what_is_no_number_is_refused_with_its_rows(quiz: Quiz) -> None:
    quiz.write("bench.csv", BENCH)
    heap = {"column": "s", "where": {"method": "heapsort"}, "aggregate": "mean"}
    told = problem(take(quiz, heap=heap, sped={"column": "speed"}, many={"column": "s", "where": {"ok": True}}))
    assert "heap: column 's' holds no number in rows 5, 6: 'fast', ''" in told
    assert "sped: there is no column 'speed'" in told
    assert "many: 4 rows match, expected one (rows 2, 3, 5, 6)" in told
    assert "aggregate: mean" in told


def test_a_bootstrap_interval_or_the_reason_why_there_is_none(quiz: Quiz) -> None:
    rows = "".join(f"a,{1 + i / 10}\n" for i in range(12)) + "b,1\nb,2\n"
    quiz.write("bench.csv", "m,s\n" + rows)
    sure = {"column": "s", "aggregate": "mean", "interval": "bootstrap"}
    values = found(take(quiz, a={**sure, "where": {"m": "a"}}, b={**sure, "where": {"m": "b"}}))
    assert values["a"].interval is not None
    assert values["a"].interval.low < 1.55 < values["a"].interval.high
    assert (values["a"].n, values["a"].interval.over) == (12, "rows")
    assert str(values["b"].undefined).startswith("its interval is undefined: ")


def test_an_interval_and_a_reason_that_stand_in_the_table_as_a_comparison_writes_them(quiz: Quiz) -> None:
    head = "metric,what,mean,low,high,clips_compared,undefined\n"
    rows = "stoi,a minus b,0.2,0.1,0.3,12,\nstoi,a,,,,0,no clip has a value\nstoi,b,0.2,,0.3,12,\n"
    quiz.write("bench.csv", head + rows)
    ends = {"low": "low", "high": "high", "n": "clips_compared", "over": "clips", "undefined": "undefined"}
    of = {"column": "mean", "interval": ends}
    apart, a, b = ({**of, "where": {"what": what}} for what in ("a minus b", "a", "b"))
    values = found(take(quiz, apart=apart, a=a))
    interval = values["apart"].interval
    assert interval is not None
    assert (values["apart"].value, interval.low, interval.high, interval.over) == (0.2, 0.1, 0.3, "clips")
    assert values["apart"].n == 12
    assert values["a"].undefined == "no clip has a value"
    assert "b: there is no number in row 4 under low" in problem(take(quiz, b=b))
    assert found(take(quiz, n={"aggregate": "count", "where": {"undefined": ""}}))["n"].value == 2


def test_json_lines(quiz: Quiz) -> None:
    quiz.write("runs.jsonl", '{"m": "a", "s": 1.5, "ok": true}\n\n{"m": "b", "s": null}\n{"m": "b", "s": true}\n')
    assert found(take(quiz, "runs.jsonl", s={"column": "s", "where": {"ok": True}}))["s"].value == 1.5
    told = problem(take(quiz, "runs.jsonl", s={"column": "s", "where": {"m": "b"}, "aggregate": "sum"}))
    assert "holds no number in rows 3, 4: None, True" in told
    quiz.write("runs.jsonl", '{"m": "a"\n[1]\n')
    told = problem(take(quiz, "runs.jsonl", s={"column": "s"}))
    assert "runs.jsonl row 1: is not JSON" in told
    assert "runs.jsonl row 2: holds a list, expected an object" in told


def test_parquet(quiz: Quiz) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    quiz.folder.mkdir(exist_ok=True)
    parquet.write_table(pyarrow.table({"m": ["a", "b"], "s": [1.5, 2.5]}), quiz.folder / "runs.parquet")
    assert found(take(quiz, "runs.parquet", s={"column": "s", "where": {"m": "b"}}))["s"].value == 2.5
    quiz.write("runs.parquet", b"no parquet")
    assert "runs.parquet: cannot be read as Parquet" in problem(take(quiz, "runs.parquet", s={"column": "s"}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("m,s\na\n", "bench.csv row 2: has 1 cells, the header has 2"),
        ("m,m\na,1\n", "bench.csv"),
        ('m,s\n"a,1\n', "bench.csv"),
        ("", "bench.csv: is empty"),
    ],
)
def test_a_table_is_read_strictly(quiz: Quiz, text: str, told: str) -> None:
    quiz.write("bench.csv", text)
    said = problem(take(quiz, s={"column": "s"}))
    assert said.startswith(told)
    assert str(quiz.folder) not in said


def test_a_table_of_another_kind_or_none(quiz: Quiz) -> None:
    quiz.write("bench.xlsx", "PK")
    assert "is a .xlsx file" in problem(take(quiz, "bench.xlsx", s={"column": "s"}))
    quiz.write("bench.csv", "m,s\n")
    assert found(take(quiz, s={"column": "s"}))["s"].undefined == "bench.csv has no rows"


# ---- commands

TOOL = """import json, sys
print(json.dumps({"result": {"total": int(sys.argv[1]), "none": None, "nan": float("nan"), "list": [1, 2]}}))
print("told", file=sys.stderr)
"""


def test_a_program_that_prints_json(quiz: Quiz) -> None:
    pytest.importorskip("jmespath")
    quiz.write("tool.py", TOOL)
    take_ = {
        "total": "result.total",
        "last": {"path": "result.list[-1]", "unit": "items"},
        "none": "result.none",
        "nan": "result.nan",
        "long": "length(result.list)",
    }
    result = quiz.ask({"command": ["python", "tool.py", 3], "take": take_})
    values = found(result)
    assert {name: m.value for name, m in values.items()} == {
        "total": 3,
        "last": 2,
        "none": None,
        "nan": None,
        "long": 2,
    }
    assert values["total"].source == "executed"
    assert values["total"].locator == "python tool.py 3, result.total"
    assert result.evidence is not None
    assert "tool.py" in result.evidence.provenance.files


@pytest.mark.parametrize(
    ("code", "path", "told"),
    [
        (TOOL, "result.totl", "there is nothing at result.totl"),
        (TOOL, "result[", "is not a path that can be followed"),
        (TOOL, "result.list", "total is a list ([1, 2]), expected a number"),
        ("print('hello')", "total", "printed what is not JSON"),
        ("pass", "total", "printed nothing, expected JSON"),
        ("import sys\nsys.exit('it went wrong')", "total", "failed (exit status 1)"),
        ("import sys\nsys.exit('it went wrong')", "total", "    | it went wrong"),
    ],
)
def test_what_is_wrong_with_a_program_is_told(quiz: Quiz, code: str, path: str, told: str) -> None:
    pytest.importorskip("jmespath")
    quiz.write("tool.py", code)
    assert told in problem(quiz.ask({"command": ["python", "tool.py", "3"], "take": {"total": path}}))


def test_there_is_no_shell_and_a_program_that_is_not_here_is_absent(quiz: Quiz) -> None:
    pytest.importorskip("jmespath")
    quiz.write("tool.py", "import json, sys\nprint(json.dumps({'n': len(sys.argv)}))")
    asked = {"command": ["python", "tool.py", "$HOME; rm -rf .", "*"], "take": {"n": "n"}}
    assert found(quiz.ask(asked))["n"].value == 3
    result = quiz.ask({"command": ["no-such-program"], "take": {"n": "n"}})
    assert result.problem is not None
    assert (result.problem.cause, result.problem.what) == ("absent", "the program no-such-program is not here")


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX system")
def test_a_program_of_the_quiz_and_one_of_the_system(quiz: Quiz) -> None:
    pytest.importorskip("jmespath")
    quiz.write("tool.sh", "#!/bin/sh\necho '{\"n\": 5}'\n")
    (quiz.folder / "tool.sh").chmod(0o755)
    assert found(quiz.ask({"command": ["tool.sh"], "take": {"n": "n"}}))["n"].value == 5
    result = quiz.ask({"command": ["cat", "data.json"], "take": {"n": "n"}})
    assert "failed (exit status 1)" in problem(result)
    quiz.write("data.json", '{"n": 6}')
    assert found(quiz.ask({"command": ["cat", "data.json"], "take": {"n": "n"}}))["n"].value == 6


# ---- notebooks


def cell(source: str, *tags: str, printed: str = "", shown: str = "", error: str = "") -> dict[str, Any]:
    outputs: list[dict[str, Any]] = []
    if printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed.splitlines(keepends=True)})
    if shown:
        data = {"text/plain": [shown]}
        outputs.append({"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data})
    if error:
        outputs.append({"output_type": "error", "ename": error, "evalue": "no", "traceback": []})
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": outputs, "execution_count": None}


def notebook(*cells: dict[str, Any], kernel: str = "python3") -> str:
    kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
    text = {"cell_type": "markdown", "metadata": {}, "source": "# Lab"}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernelspec}, "cells": [text, *cells]}
    )


COURSE = (
    cell("!pip install pesq pystoi", printed="Successfully installed pesq-0.0.4\n"),
    cell("from google.colab import drive\ndrive.mount('/content/drive')", printed="Mounted at /content/drive\n"),
    cell(
        "for kind in clips:\n    print(kind, 'PESQ:', round(compute_pesq(kind), 2), 'STOI:', compute_stoi(kind))",
        printed="english PESQ: 3.21 STOI: 0.93\nmusic PESQ: nan STOI: 0.41\n",
    ),
    cell("scores", "scores", shown="{'english': {'stoi': 0.93}, 'music': {'stoi': 0.41}}"),
    cell("np.mean(stois)", "mean", shown="np.float64(0.67)"),
)
"""A notebook of a course as it comes from Colab: it cannot run here, and its outputs are in it."""


def test_saved_outputs_of_a_colab_notebook_decide_claims_and_say_that_nobody_here_ran_them(quiz: Quiz) -> None:
    pytest.importorskip("jmespath")
    quiz.write("lab.ipynb", notebook(*COURSE))
    take_ = {
        "pesq.english": {"cell": "compute_pesq", "after": "english PESQ:", "at_least": 1, "at_most": 4.65},
        "pesq.music": {"cell": "compute_pesq", "after": "music PESQ:"},
        "stoi.english": {"tag": "scores", "path": "english.stoi"},
        "stoi.mean": {"tag": "mean", "at_most": 1},
    }
    result = quiz.ask({"notebook": "lab.ipynb", "outputs": "saved", "take": take_})
    values = found(result)
    assert {name: m.value for name, m in values.items()} == {
        "pesq.english": 3.21,
        "pesq.music": None,
        "stoi.english": 0.93,
        "stoi.mean": 0.67,
    }
    assert values["pesq.music"].undefined == "it is nan"
    assert {m.source for m in values.values()} == {"saved"}
    assert values["stoi.mean"].note == "a saved output, not executed by us"
    assert values["stoi.mean"].locator == "lab.ipynb, cell 6 (tagged mean)"


def test_pesq_and_stoi_of_a_courses_notebook_decide_claims_like_those_of_question_6(quiz: Quiz) -> None:
    printed = "english PESQ: 3.21 STOI: 0.93\nchinese PESQ: 2.40 STOI: 0.91\n"
    quiz.write(
        "lab.ipynb", notebook(cell("from google.colab import drive"), cell("compute_pesq(clips)", printed=printed))
    )
    take_ = {
        f"{metric}.{language}": {"cell": "compute_pesq", "after": f"{language} PESQ: {more}", "at_most": 4.65}
        for language, pesq in (("english", "3.21"), ("chinese", "2.40"))
        for metric, more in (("pesq_wb", ""), ("stoi", f"{pesq} STOI:"))
    }
    better = {"greater": ["pesq_wb.english", "pesq_wb.chinese"], "by": 0.66}
    claim = {"all": [better, {"at_least": ["stoi.english", 0.8]}, {"at_least": ["stoi.chinese", 0.8]}]}
    quiz.pose({"notebook": "lab.ipynb", "outputs": "saved", "take": take_}, claim=claim)
    (asked,) = answer_key(load_quiz(quiz.folder), mode="auto", store=Store(quiz.folder.parent / "store")).questions
    assert (asked.correct, asked.settled) == (("A",), True)
    quiz.write("lab.ipynb", (quiz.folder / "lab.ipynb").read_text().replace("2.40", "2.60"))
    take_["stoi.chinese"]["after"] = "chinese PESQ: 2.60 STOI:"
    quiz.pose({"notebook": "lab.ipynb", "outputs": "saved", "take": take_}, claim=claim)
    (asked,) = answer_key(load_quiz(quiz.folder), mode="auto", store=Store(quiz.folder.parent / "store")).questions
    assert asked.correct == ("B",)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ({"tag": "score"}, "no code cell is a cell tagged score\n    -> did you mean scores?"),
        ({"cell": "nowhere"}, "no code cell is a cell with `nowhere`"),
        ({"cell": "a"}, "cells"),
        ({"cell": "compute_pesq"}, "which is no value"),
        ({"cell": "compute_pesq", "after": "PESQ:"}, "2 numbers stand after “PESQ:”"),
        ({"cell": "compute_pesq", "after": "MOS:"}, "no number stands after “MOS:”"),
        ({"tag": "scores"}, "x is a dict"),
        ({"tag": "scores", "path": "german.stoi"}, "there is nothing at german.stoi"),
        ({"tag": "empty"}, "the cell has no output"),
        ({"tag": "failed"}, "the cell ends in KeyError: no"),
        ({"tag": "mean", "at_most": 0.5}, "x is 0.67, announced within [-inf, 0.5]"),
    ],
)
def test_an_output_that_is_no_value_is_named_by_its_cell(quiz: Quiz, output: dict[str, Any], told: str) -> None:
    pytest.importorskip("jmespath")
    quiz.write("lab.ipynb", notebook(*COURSE, cell("x = 1", "empty"), cell("f()", "failed", error="KeyError")))
    said = problem(quiz.ask({"notebook": "lab.ipynb", "outputs": "saved", "take": {"x": output}}))
    assert told in said
    assert said.startswith("lab.ipynb")


def test_a_notebook_is_run_from_its_first_cell_whatever_outputs_it_holds(quiz: Quiz) -> None:
    quiz.write("data.csv", "1\n2\n6\n")
    quiz.write(
        "lab.ipynb",
        notebook(
            cell("import os, statistics\nx = [int(line) for line in open('data.csv')]", printed="stale\n"),
            cell("statistics.median(x)", "median", shown="99"),
            cell("print(f'largest: {max(x)}')", "largest"),
            cell(
                "mean = statistics.mean(x)\nnothing = None\nfew = len(x) < 5\nseed = int(os.environ['EARWITNESS_SEED'])"
            ),
        ),
    )
    before = (quiz.folder / "lab.ipynb").read_bytes()
    take_: dict[str, Any] = {
        "median": {"tag": "median"},
        "largest": {"tag": "largest", "after": "largest:"},
        "mean": {"variable": "mean"},
        "nothing": {"variable": "nothing"},
        "few": {"variable": "few", "kind": "bool"},
        "seed": {"variable": "seed"},
    }
    values = found(quiz.ask({"notebook": "lab.ipynb", "reads": ["data.csv"], "seed": 4, "take": take_, "timeout": 120}))
    expected = {"median": 2, "largest": 6, "mean": 3, "nothing": None, "few": True, "seed": 4}
    assert {name: m.value for name, m in values.items()} == expected
    assert {m.source for m in values.values()} == {"executed"}
    assert (quiz.folder / "lab.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("1 / 0", "lab.ipynb: cell 3 (`1 / 0`) raised ZeroDivisionError: division by zero"),
        ("import os\nos._exit(1)", "lab.ipynb: cell 3 (`import os`) ended its kernel"),
        ("open('/etc/earwitness', 'w')", "evidence writes nothing there"),
        ("pass", "x: there is no variable y after the last cell"),
    ],
)
def test_a_notebook_that_fails_is_named_by_its_cell(quiz: Quiz, source: str, told: str) -> None:
    quiz.write("lab.ipynb", notebook(cell("a = 1"), cell(source)))
    assert told in problem(quiz.ask({"notebook": "lab.ipynb", "take": {"x": {"variable": "y"}}, "timeout": 120}))


def test_a_notebook_without_an_end_leaves_no_kernel(quiz: Quiz, tmp_path: Path) -> None:
    mark = f"mark_{os.getpid()}_{abs(hash(tmp_path))}"
    quiz.write("lab.ipynb", notebook(cell(SLEEPING.replace("MARK", mark))))
    said = problem(quiz.ask({"notebook": "lab.ipynb", "take": {"x": {"variable": "y"}}, "timeout": 8}))
    assert "took longer than 8 s" in said or "gave no answer within 8 s" in said
    end = time.monotonic() + 20
    while any(mark in line for line in running()) and time.monotonic() < end:
        time.sleep(0.2)
    assert not any(mark in line for line in running())


def test_a_notebook_of_another_kernel_or_none_at_all(quiz: Quiz) -> None:
    quiz.write("lab.ipynb", notebook(cell("x = 1"), kernel="julia-1.10"))
    said = problem(quiz.ask({"notebook": "lab.ipynb", "take": {"x": {"variable": "x"}}, "timeout": 120}))
    assert "it asks for the kernel 'julia-1.10', which is not installed here" in said
    quiz.write("lab.ipynb", "no notebook")
    assert "is no notebook that can be read" in problem(
        quiz.ask({"notebook": "lab.ipynb", "take": {"x": {"tag": "x"}}})
    )


# ---- facts


def test_facts_with_their_place_and_how_they_were_checked(quiz: Quiz) -> None:
    quiz.write(
        "facts.yaml",
        "sort.stable:\n  value: true\n  locator: Python library reference, section on list.sort\n  checked: read\n"
        "sort.year:\n  value: 2002\n  locator: Peters, mail of 20 July 2002\n  checked: recalled\n",
    )
    result = quiz.ask({"facts": "facts.yaml"}, claim={"is_true": "sort.stable"})
    values = found(result)
    assert (values["sort.stable"].value, values["sort.stable"].standing) == (True, "published")
    assert values["sort.year"].standing == "recalled"
    quiz.pose({"facts": "facts.yaml"}, claim={"is_true": "sort.stabel"})
    with pytest.raises(InputError, match=r"did you mean sort\.stable"):
        load_quiz(quiz.folder)


def test_facts_that_say_too_little_are_refused_with_their_lines(quiz: Quiz) -> None:
    third = "c:\n  value: 3\n  locator: some place\n  checked: read\n  at_most: 2\n"
    quiz.write("facts.yaml", f"a:\n  value: 1\n  checked: read\nB:\n  value: 1\n{third}")
    quiz.pose({"facts": "facts.yaml"}, claim={"at_least": ["a", 2]})
    with pytest.raises(InputError) as refused:
        load_quiz(quiz.folder)
    told = str(refused.value)
    assert "facts.yaml:1: a.locator is missing" in told
    assert "facts.yaml:4: 'B' is no name of a measurement" in told
    assert "value is 3, announced within [-inf, 2]" in told
