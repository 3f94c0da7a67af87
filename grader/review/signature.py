"""Signatures of the index of the evidence of record, made and checked by OpenSSH's `ssh-keygen -Y`.

What is signed is the index in the form in which it is written, whatever a checkout makes of its line ends.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from basics.errors import InputError, Problem, Unavailable
from basics.files import read_bytes, reading, write_whole
from basics.messages import Message, quoted, say
from grader.quiz.commands import about_run
from grader.verdicts.record import INDEX, RECORD_FOLDER, Index

NAMESPACE = "earwitness"
SIGNATURE = f"{INDEX}.sig"


@dataclass(frozen=True)
class Signature:
    """What is known of the signature of an index: whether there is one, whose it is, what is wrong with it.

    `identity` is known only where a list of signers was given.
    """

    there: bool
    said: str = ""
    identity: str | None = None
    problem: Problem | None = None


def sign(folder: Path, index: Index, key: Path) -> Path:
    """Sign the index of a quiz's record with an SSH key; the file of the signature.

    Raises InputError where the key cannot be used, Unavailable where there is no ssh-keygen.
    """
    with reading(key):
        pass
    done = _ssh_keygen("sign", "-f", str(key), "-n", NAMESPACE, said=index.text())
    if done.returncode or not done.stdout:
        remedy = say("name an SSH key: a private one, or the public one of a key that the agent holds")
        raise InputError(
            Problem(str(key), say("cannot be used to sign ({output})", output=_last_line(done.stderr)), remedy)
        )
    path = folder / RECORD_FOLDER / SIGNATURE
    write_whole(path, done.stdout)
    return path


def check(folder: Path, index: Index | None, signers: Path | None) -> Signature:
    """Whether the signature beside the index fits it, and, given a file of allowed signers, whose it is."""
    path = folder / RECORD_FOLDER / SIGNATURE
    if not path.exists():
        missing = Problem(
            _where(),
            say("is not there, but signers were named"),
            say("sign with `{command}`", command=_command(folder)),
        )
        return Signature(there=False, problem=missing if signers else None)
    if index is None:
        return Signature(
            there=True,
            problem=Problem(
                _where(), say("cannot be checked without {file}", file=INDEX), say("restore {file}", file=INDEX)
            ),
        )
    try:
        armoured = read_bytes(path).replace(b"\r\n", b"\n")
        found = _valid(armoured, index.text()) if signers is None else _by_signer(armoured, index.text(), signers)
    except Unavailable as error:
        return Signature(
            there=True, problem=Problem(_where(), say("cannot be checked: {problem}", problem=error.what), error.remedy)
        )
    except InputError as error:
        return Signature(there=True, problem=error.problems[0])
    if found.problem and not found.problem.remedy:
        again = say("sign it again with `{command}`, or restore what was signed", command=_command(folder))
        return replace(found, problem=replace(found.problem, remedy=again))
    return found


def _command(folder: Path) -> str:
    return about_run("record", "sign", folder, "--key", "KEY")


def _valid(armoured: bytes, signed: bytes) -> Signature:
    """Whether it fits, whoever made it."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / SIGNATURE
        file.write_bytes(armoured)
        done = _ssh_keygen("check-novalidate", "-n", NAMESPACE, "-s", str(file), said=signed)
    return _outcome(done)


def _by_signer(armoured: bytes, signed: bytes, signers: Path) -> Signature:
    """Whether it fits and is that of one of the signers."""
    with reading(signers):
        pass
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / SIGNATURE
        file.write_bytes(armoured)
        among = ("-s", str(file), "-f", str(signers))
        found = _ssh_keygen("find-principals", *among, said=signed)
        for identity in found.stdout.decode(errors="replace").splitlines():
            done = _ssh_keygen("verify", *among, "-n", NAMESPACE, "-I", identity, said=signed)
            if done.returncode == 0:
                return Signature(there=True, said=_first_line(done.stdout), identity=identity)
    valid = _valid(armoured, signed)
    if valid.problem:
        return valid
    what = say("is of none of the signers in {signers} ({output})", signers=signers, output=valid.said)
    return Signature(
        there=True, problem=Problem(_where(), what, say("have a signer sign it, or add the key to the signers"))
    )


def _outcome(done: subprocess.CompletedProcess[bytes]) -> Signature:
    if done.returncode == 0:
        return Signature(there=True, said=_first_line(done.stdout))
    what = say("does not fit {file} ({output})", file=INDEX, output=_last_line(done.stderr))
    return Signature(there=True, problem=Problem(_where(), what))


def _ssh_keygen(action: str, *arguments: str, said: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["ssh-keygen", "-Y", action, *arguments], input=said, capture_output=True, check=False)
    except OSError as error:
        raise Unavailable(say("the program ssh-keygen is not here"), say("install OpenSSH 8.1 or newer")) from error


def _where() -> str:
    return f"{RECORD_FOLDER}/{SIGNATURE}"


def _first_line(said: bytes) -> str:
    return next(iter(said.decode(errors="replace").splitlines()), "")


def _last_line(said: bytes) -> Message:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return quoted(lines[-1].strip()) if lines else say("ssh-keygen gave no reason")
