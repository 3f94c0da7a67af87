"""`notebook: lab.ipynb`: values of variables, or of what cells print; run here, or read from outputs that were saved.

The two are different sources. What is run here from the first cell to the last is `executed`; what stands in the file
because somebody ran it elsewhere is `saved`: nobody here knows whether the code beside it gives it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from basics import messages
from basics.errors import InputError, Problem
from basics.messages import Message, say
from basics.suggestions import did_you_mean
from evaluators.evidence import Findings, Frozen, Inputs, Measurement, Quantity, QuizFile, Site
from evaluators.generic.command import NOTHING, found_at
from evaluators.generic.launch import said
from evaluators.generic.offers import Named, Offer, Taking, needed, quantities
from evaluators.generic.running import TIMEOUT, Run, packages_of, run, texts_of

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\bnan\b|\bNone\b")
SCALAR = re.compile(r"(?:[A-Za-z_][\w.]*)\((.*)\)", re.DOTALL)
"""How libraries show a number: `np.float64(0.5)`, `tensor(0.5)`."""
WORDS = {"nan": float("nan"), "NaN": float("nan"), "inf": float("inf"), "-inf": -float("inf")}


class Output(Offer):
    """A value of a notebook: a variable after the last cell, or what one cell gives.

    Attributes:
        variable: its name.
        tag: the tag of the cell.
        cell: a text that stands in the source of exactly one cell.
        after: the text before the number in what the cell prints, where that is more than the number.
        path: where the value stands in what the cell prints, if that is JSON or a Python literal (JMESPath).
    """

    variable: str = ""
    tag: str = ""
    cell: str = ""
    after: str = ""
    path: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Output:
        if sum(map(bool, (self.variable, self.tag, self.cell))) != 1:
            raise ValueError("name one of variable, tag and cell")
        if self.variable and (self.after or self.path):
            raise ValueError("after and path belong to the output of a cell; a variable is taken as it is")
        if self.after and self.path:
            raise ValueError("name one of after and path")
        return self

    @property
    def place(self) -> str:
        """The place in words."""
        if self.variable:
            return f"variable {self.variable}"
        cell = f"cell tagged {self.tag}" if self.tag else f"cell with `{self.cell}`"
        return cell + (f", after “{self.after}”" if self.after else f", {self.path}" if self.path else "")


class NotebookParameters(Run):
    """What a question asks of a notebook.

    Attributes:
        notebook: a file of the quiz.
        outputs: `executed` runs it here; `saved` reads the outputs that are in the file.
        take: the values that are taken of it.
    """

    notebook: QuizFile
    outputs: Literal["executed", "saved"] = "executed"
    take: Named[Output]

    @model_validator(mode="after")
    def _saved_has_no_variables(self) -> NotebookParameters:
        if self.outputs == "saved":
            if named := [name for name, output in self.take.items() if output.variable]:
                raise ValueError(f"variables are not saved in a notebook: name a cell for {', '.join(named)}")
            if self.source == "simulated":
                raise ValueError("what is saved has the source `saved`; leave out `source`")
        return self


@dataclass(frozen=True)
class Notebook:
    """Reads numbers out of a notebook."""

    name: ClassVar[str] = "notebook"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = NotebookParameters
    timeout: float = TIMEOUT

    def quantities(self, parameters: NotebookParameters) -> Iterable[Quantity]:
        """What is taken of it."""
        return quantities(parameters.take)

    def inputs(self, parameters: NotebookParameters, site: Site) -> Inputs:
        """The packages that it imports, and the seed, where it is run; the file itself is a parameter."""
        if parameters.outputs == "saved":
            return Inputs()
        text = site.file(parameters.notebook).read_text(encoding="utf-8", errors="replace")
        code = [cell["source"] for cell in _cells(_read(text, parameters.notebook)) if cell["cell_type"] == "code"]
        plain = (re.sub(r"(?m)^\s*[%!].*$", "", source) for source in code)
        packages = packages_of((*plain, *texts_of(parameters.reads, site)))
        return Inputs(packages=packages, seed=parameters.seed)

    def measure(self, parameters: NotebookParameters, site: Site) -> Findings:
        """Run it, or read it. Raises InputError with all that is wrong with what is found."""
        name, variables = parameters.notebook, {}
        content = site.file(name).read_text(encoding="utf-8", errors="replace")
        if parameters.outputs == "executed":
            for module in ("nbclient", "nbformat", "ipykernel"):
                needed(module, "running a notebook")
            wanted = [output.variable for output in parameters.take.values() if output.variable]
            job = {"do": "notebook", "file": name, "variables": wanted}
            reply = run(job, (name, *parameters.reads), parameters, site, timeout=self.timeout, where=name)
            content, variables = reply["notebook"], reply["variables"]
            taking = Taking(parameters.source)
        else:
            taking = Taking("saved", "a saved output, not executed by us")
        cells = _cells(_read(content, name))
        found = (_taken(one, output, cells, variables, taking, name) for one, output in parameters.take.items())
        return Findings(taking.checked(chain.from_iterable(found)))


def _read(text: str, name: str) -> Any:
    nbformat = needed("nbformat", "reading a notebook")
    try:
        return nbformat.reads(text, as_version=4)
    except Exception as error:  # nbformat raises errors of several libraries
        what = say("is no notebook that can be read: {error}", error=" ".join(str(error).split())[:200])
        raise InputError(Problem(name, what, say("save it anew from Jupyter or Colab"))) from error


def _cells(book: Any) -> list[Any]:
    return list(book.cells)


def _taken(
    name: str, output: Output, cells: Sequence[Any], variables: dict[str, Any], taking: Taking, file: str
) -> Iterator[Measurement]:
    where = f"{file}, {output.place}"
    if output.variable:
        if output.variable in variables:
            yield from taking.take(name, variables[output.variable], output, where)
        else:
            what = say(
                "{name}: there is no variable {variable} after the last cell", name=name, variable=output.variable
            )
            taking.problems.append(
                Problem(file, what, say("correct its name; it has to be set outside of any function"))
            )
        return
    found = [(i, cell) for i, cell in enumerate(cells, 1) if cell.cell_type == "code" and _is(cell, output)]
    if len(found) != 1:
        numbers = ", ".join(str(i) for i, _ in found)
        tags = sorted({tag for cell in cells for tag in cell.metadata.get("tags", ())})
        kind = output.place.partition(",")[0]
        what = say("{name}: no code cell is a {wanted}", name=name, wanted=kind)
        if found:
            what = say("{name}: cells {numbers} are {wanted}", name=name, numbers=numbers, wanted=kind)
        suggested = did_you_mean(output.tag, tags) if output.tag and tags and not found else messages.NOTHING
        remedy = suggested or say("name one cell by its tag or by a text in it")
        taking.problems.append(Problem(file, what, remedy))
        return
    ((number, cell),) = found
    place = f"{file}, cell {number} ({output.place.removeprefix('cell ')})"
    try:
        value = _value(cell, output, taking, place)
    except ValueError as error:
        taking.problems.append(Problem(place, say("{name}: {error}", name=name, error=error), _remedy(taking)))
        return
    if value is not NOTHING:
        yield from taking.take(name, said(value), output, place)


def _remedy(taking: Taking) -> Message:
    if taking.source == "saved":
        return say("have the cell give one number or truth value, run it and save it, or say `after:` or `path:`")
    return say("have the cell give one number or truth value, or say `after:` or `path:`")


def _is(cell: Any, output: Output) -> bool:
    return output.tag in cell.metadata.get("tags", ()) if output.tag else output.cell in cell.source


def _value(cell: Any, output: Output, taking: Taking, place: str) -> Any:
    """The value in a cell's output. Raises ValueError, in words, where there is none or more than one."""
    if errors := [o for o in cell.outputs if o.output_type == "error"]:
        raise ValueError(f"the cell ends in {errors[0].ename}: {' '.join(str(errors[0].evalue).split())}")
    printed = "".join(_text(o.text) for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")
    shown = [_text(o.data["text/plain"]) for o in cell.outputs if "data" in o and "text/plain" in o.data]
    if not printed.strip() and not shown:
        raise ValueError("the cell has no output")
    if output.after:
        return _number_after(output.after, "\n".join([printed, *shown]))
    return_value = [_text(o.data["text/plain"]) for o in cell.outputs if o.output_type == "execute_result"]
    candidates = [text for text in (*return_value[-1:], printed, *shown[-1:]) if text.strip()]
    text = candidates[0].strip()
    value = _literal(text)
    return found_at(output.path, value, taking, place) if output.path else value


def _text(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _number_after(phrase: str, text: str) -> Any:
    found = re.findall(rf"{re.escape(phrase)}[\s:=]*({NUMBER.pattern})(?![\w.]*\w)", text)
    if len(found) != 1:
        shown = " ".join(text.split())[:120]
        many = f"{len(found)} numbers stand" if found else "no number stands"
        raise ValueError(f"{many} after “{phrase}” in {shown!r}")
    return _literal(found[0])


def _literal(text: str) -> Any:
    """What a text says as JSON or as a Python literal, a library's way to show a number included."""
    inner = SCALAR.fullmatch(text)
    for form in (text, *([inner[1].partition(", dtype")[0].partition(", device")[0]] if inner else [])):
        if form in WORDS:
            return WORDS[form]
        for read in (json.loads, ast.literal_eval):
            try:
                return read(form)
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
    raise ValueError(f"its output is {' '.join(text.split())[:60]!r}, which is no value")
