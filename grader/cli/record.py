"""`earwitness record`: is the evidence of record as it was recorded, by whom, and signed by whom."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from basics.messages import NOTHING, Message, quoted, say, together
from grader.cli.common import DONE, JsonOption, command, console, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from grader.review.history import History
    from grader.review.signature import Signature
    from grader.verdicts.record import Entry, Record

QuizArgument = Annotated[Path | None, typer.Argument(help="Folder with quiz.yaml.", show_default=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Check the evidence of record, and sign it.")
    command(group, help="Check every entry against its digest and the index; say who committed it and who signed.")(
        verify
    )
    command(group, help="Sign the index of the evidence of record with an SSH key.")(sign)
    app.add_typer(group, name="record")


def verify(
    quiz: QuizArgument = None,
    signers: Annotated[
        Path | None,
        typer.Option("--signers", help="Allowed signers, as ssh-keygen(1) has them.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    from basics.errors import InputError
    from grader.quiz.loading import find_quiz
    from grader.review import history, signature
    from grader.verdicts.record import INDEX, RECORD_FOLDER, inspect_record

    folder = find_quiz(quiz)
    record = inspect_record(folder)
    names = [entry.name for entry in record.entries] + ([INDEX] if record.index else [])
    known = history.history_of(folder / RECORD_FOLDER, names)
    signed = signature.check(folder, record.index, signers)
    problems = [*record.problems, *([signed.problem] if signed.problem else [])]
    if as_json:
        print_json(
            _as_data(folder, record, known, signed) | {"intact": not problems, "problems": list(map(str, problems))}
        )
    else:
        _show(console(), folder, record, known, signed)
    if problems:
        raise InputError(problems)
    raise typer.Exit(DONE)


def sign(
    key: Annotated[Path, typer.Option("--key", help="An SSH key: private, or public if the agent holds the other.")],
    quiz: QuizArgument = None,
) -> None:
    from basics.errors import InputError, Problem
    from grader.quiz.commands import command as command_of
    from grader.quiz.loading import find_quiz
    from grader.review import signature
    from grader.verdicts.record import INDEX, RECORD_FOLDER, sound_record

    folder = find_quiz(quiz)
    record = sound_record(folder)
    if record.index is None:
        what = say("is not there: there is no evidence of record to sign")
        raise InputError(
            Problem(
                f"{RECORD_FOLDER}/{INDEX}",
                what,
                say("record some: `{command}`", command=command_of(folder, "evidence", "--record")),
            )
        )
    written = signature.sign(folder, record.index, key)
    console().print(say("{path}: signs {n} entries", path=written, n=len(record.entries)), soft_wrap=True)


def _show(out: Console, folder: Path, record: Record, known: History, signed: Signature) -> None:
    from grader.verdicts.record import INDEX

    for entry in record.entries:
        state = say("NOT as recorded") if entry.problems else say("digest ok")
        _line(out, entry.name, *_evaluator(entry), state, _origin(entry.name, known))
        for told in _differences(entry, folder):
            _line(out, together(("    ", told), ""))
    if record.index:
        _line(out, INDEX, say("{n} entries", n=len(record.index.entries)), _origin(INDEX, known))
    if not record.entries:
        _line(out, say("there is no evidence of record"))
    if known.unknown:
        _line(out, say("who recorded it is not known: {reason}", reason=known.unknown))
    _line(out, known.caveat)
    _line(out, _signed(signed))


def _line(out: Console, *words: str) -> None:
    if text := together(filter(None, words), "  "):
        out.print(text, soft_wrap=True)


def _differences(entry: Entry, folder: Path) -> tuple[str, ...]:
    """What an entry rests on that is otherwise by now."""
    from evaluators.provenance import differences

    return differences(entry.evidence, folder) if entry.evidence else ()


def _evaluator(entry: Entry) -> list[str]:
    return [f"{entry.evidence.evaluator} {entry.evidence.version}"] if entry.evidence else []


def _origin(name: str, known: History) -> Message:
    if known.unknown:
        return NOTHING
    commit = known.commits.get(name)
    if commit is None:
        return say("not committed")
    told = quoted(f"{commit.commit} {commit.date[:10]} {commit.author}")
    return say("{commit}, CHANGED since", commit=told) if name in known.changed else told


def _signed(signed: Signature) -> Message:
    if signed.problem or not signed.there:
        return say("the signature does not hold") if signed.there else say("not signed")
    if signed.identity is None:
        return say("signed: {output}; who that is was not checked (--signers FILE)", output=signed.said)
    return say("signed by {signer}: {output}", signer=signed.identity, output=signed.said)


def _as_data(folder: Path, record: Record, known: History, signed: Signature) -> dict[str, Any]:
    from grader.verdicts.record import INDEX

    return {
        "entries": [_entry_data(entry, folder, known) for entry in record.entries],
        "index": _origin_data(INDEX, known) if record.index else None,
        "history": {"known": not known.unknown, "unknown": known.unknown, "caveat": known.caveat},
        "signature": {
            "there": signed.there,
            "holds": signed.there and signed.problem is None,
            "identity": signed.identity,
            "said": signed.said,
        },
    }


def _entry_data(entry: Entry, folder: Path, known: History) -> dict[str, Any]:
    from evaluators.entries import digests_of

    evidence = entry.evidence
    return {
        "file": entry.name,
        "as_recorded": not entry.problems,
        "problems": [problem.what for problem in entry.problems],
        "differences": list(_differences(entry, folder)),
        "evaluator": evidence.evaluator if evidence else None,
        "version": evidence.version if evidence else None,
        "digest": digests_of(evidence).content if evidence else None,
        **_origin_data(entry.name, known),
    }


def _origin_data(name: str, known: History) -> dict[str, Any]:
    """The last commit of a file and whether it was changed since; None where that is not known."""
    if (commit := known.commits.get(name)) is None:
        return dict.fromkeys(("commit", "author", "date", "changed"))
    return {**asdict(commit), "changed": name in known.changed}
