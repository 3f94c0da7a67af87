"""`earwitness record verify` and `sign`: real git repositories, real SSH keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from evaluators.evidence import Site
from evaluators.gathering import gather
from evaluators.registry import get
from grader.cli import app
from grader.verdicts.record import read_records, write_record
from tests import hand_edits
from tests.conftest import need_program
from tests.hand_edits import CONTENT, REFORMATTED, edit_content, edit_with_digests

AUTHOR = "陳 小明 <ming@example.org>"


@pytest.fixture
def entry(foreign_quiz: Path) -> Path:
    """The evidence of record of the foreign quiz."""
    return record(foreign_quiz, throws=2000)


def record(quiz: Path, throws: int) -> Path:
    dice = get("dice")
    return write_record(quiz, gather(dice, dice.Parameters(throws=throws), Site(), None).evidence)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["record", *map(str, arguments)], env={"COLUMNS": "200"})


def verify(quiz: Path, *arguments: object) -> dict[str, Any]:
    done = run("verify", quiz, "--json", *arguments)
    data: dict[str, Any] = json.loads(done.stdout)
    assert done.exit_code == (0 if data["intact"] else 2), done.output
    assert data["intact"] == (data["problems"] == [])
    assert all(problem in done.stderr for problem in data["problems"])
    return data


# Without git, without signature


def test_a_sound_record_outside_of_git_is_listed_and_says_so(entry: Path) -> None:
    done = run("verify", entry.parents[1])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        f"{entry.name}  dice 1  digest ok",
        "index.json  1 entries",
        "who recorded it is not known: not in a git repository",
        "not signed",
    ]


def test_every_problem_is_told_beside_what_is_sound(entry: Path) -> None:
    quiz = entry.parents[1]
    sound = record(quiz, throws=300)
    record(quiz, throws=400).unlink()
    edit_content(entry, CONTENT["n"])
    done = run("verify", quiz)
    assert done.exit_code == 2
    assert f"{entry.name}  dice 1  NOT as recorded" in done.stdout
    assert f"{sound.name}  dice 1  digest ok" in done.stdout
    assert f"evidence/{entry.name}: was changed" in done.stderr
    assert "evidence/index.json: names dice-" in done.stderr


def test_an_entry_that_cannot_be_read_is_listed_too(entry: Path) -> None:
    entry.write_text("{")
    data = verify(entry.parents[1])
    assert [(one["file"], one["as_recorded"], one["evaluator"]) for one in data["entries"]] == [
        (entry.name, False, None)
    ]


def test_a_quiz_without_evidence_of_record_says_so(foreign_quiz: Path) -> None:
    done = run("verify", foreign_quiz)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == ["there is no evidence of record", "not signed"]


def test_a_real_process_verifies_this_quiz(earwitness: Any, repository: Path) -> None:
    done = earwitness("record", "verify", "questions", "--json", cwd=repository)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert {one["file"] for one in data["entries"]} == {
        p.name for p in (repository / "questions/evidence").glob("*-*.json")
    }
    assert all(one["as_recorded"] and len(one["digest"]) == 64 for one in data["entries"])


# With git


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs git in the quiz's repository."""
    need_program("git")
    name, _, address = AUTHOR.partition(" <")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", name)
        monkeypatch.setenv(f"GIT_{role}_EMAIL", address.rstrip(">"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    def call(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path / "quiz"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout.strip()

    return call


@pytest.fixture
def committed(entry: Path, git: Any) -> Path:
    """The entry, committed."""
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "Record the dice", "--date", "2026-03-01T12:00:00+08:00")
    return entry


def test_an_entry_names_the_commit_that_brought_it(committed: Path, git: Any) -> None:
    first = git("rev-parse", "--short=12", "HEAD")
    (committed.parents[1] / "notes.txt").write_text("later\n")
    git("add", ".")
    git("commit", "-qm", "Something else")
    assert (
        f"{committed.name}  dice 1  digest ok  {first} 2026-03-01 {AUTHOR}\n"
        in run("verify", committed.parents[1]).stdout
    )
    (one,) = verify(committed.parents[1])["entries"]
    assert (one["commit"], one["author"], one["date"]) == (first, AUTHOR, "2026-03-01T12:00:00+08:00")
    assert one["changed"] is False


def test_an_entry_that_is_not_committed_says_so(committed: Path) -> None:
    new = record(committed.parents[1], throws=300)
    assert f"{new.name}  dice 1  digest ok  not committed" in run("verify", committed.parents[1]).stdout
    by_name = {one["file"]: one for one in verify(committed.parents[1])["entries"]}
    assert (by_name[new.name]["commit"], by_name[new.name]["changed"]) == (None, None)


def test_an_edit_with_its_digests_worked_out_anew_is_shown_by_git(committed: Path, git: Any) -> None:
    """The digests fit; git says that it is not what was committed, and later who committed it."""
    quiz = committed.parents[1]
    index = committed.with_name("index.json")
    edited = edit_with_digests(committed, hand_edits.of("dice.mean", n=3))
    lines = json.loads(index.read_text())
    lines["entries"][committed.name] = json.loads(committed.read_text())["digests"]
    index.write_text(json.dumps(lines))
    assert read_records(quiz) == [edited]
    data = verify(quiz)
    assert data["entries"][0]["changed"] is data["index"]["changed"] is True
    assert run("verify", quiz).stdout.count(", CHANGED since") == 2
    git("commit", "-qam", "Correct a number", "--author", "Somebody Else <else@example.org>")
    assert verify(quiz)["entries"][0]["author"] == "Somebody Else <else@example.org>"


def test_an_entry_taken_out_with_its_line_is_shown_by_the_index(committed: Path) -> None:
    edit_content(committed.with_name("index.json"), hand_edits.drop("entries", committed.name))
    committed.unlink()
    data = verify(committed.parents[1])
    assert (data["entries"], data["index"]["changed"]) == ([], True)


def test_a_checkout_with_line_ends_of_windows_still_verifies(committed: Path, git: Any, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "-q", "-c", "core.autocrlf=true", ".", str(clone))
    assert b"\r\n" in (clone / "evidence" / committed.name).read_bytes()
    assert verify(clone)["entries"][0]["changed"] is False


def test_a_shallow_clone_says_what_it_does_not_know(committed: Path, git: Any, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth", "1", f"file://{committed.parents[1]}", str(clone))
    assert "the clone is shallow" in run("verify", clone).stdout


def test_a_repository_of_another_name_in_the_environment_is_not_asked(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert verify(committed.parents[1])["history"]["known"]


def test_a_machine_without_git_says_so(committed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    assert verify(committed.parents[1])["history"]["unknown"] == "git is not installed"


# With a signature


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An SSH key without a passphrase."""
    return new_key(tmp_path / "key")


def new_key(path: Path) -> Path:
    program = need_program("ssh-keygen")
    subprocess.run([program, "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)
    return path


def signers(path: Path, key: Path, who: str = "ming@example.org", options: str = "") -> Path:
    """A file of allowed signers that names one key."""
    kind, content, *_ = key.with_suffix(".pub").read_text().split()
    path.write_text(f"{who} {options} {kind} {content}\n")
    return path


@pytest.fixture
def signed(entry: Path, key: Path) -> Path:
    """The signature of the record."""
    done = run("sign", entry.parents[1], "--key", key)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{entry.with_name('index.json.sig')}: signs 1 entries\n"
    return entry.with_name("index.json.sig")


def test_a_signature_holds_and_says_that_nobody_was_checked(signed: Path) -> None:
    done = run("verify", signed.parents[1])
    assert done.exit_code == 0, done.output
    last = done.stdout.splitlines()[-1]
    assert last.startswith('signed: Good "earwitness" signature with ED25519 key SHA256:')
    assert last.endswith("who that is was not checked (--signers FILE)")
    assert verify(signed.parents[1])["signature"]["identity"] is None


@pytest.mark.parametrize("who", ["ming@example.org", "ming@example.org,prof@example.org", "*@example.org"])
def test_a_signature_of_an_allowed_signer_says_whose_it_is(signed: Path, key: Path, tmp_path: Path, who: str) -> None:
    data = verify(signed.parents[1], "--signers", signers(tmp_path / "allowed", key, who))
    assert data["signature"]["holds"]
    assert data["signature"]["identity"] in (who, "ming@example.org")


def test_ssh_keygen_verifies_the_files_by_itself(signed: Path, key: Path, tmp_path: Path) -> None:
    allowed = signers(tmp_path / "allowed", key)
    command = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "ming@example.org", "-n", "earwitness", "-s", signed]
    index = signed.with_name("index.json").read_bytes()
    assert subprocess.run(command, input=index, capture_output=True, check=False).returncode == 0


def told(signed: Path, *arguments: object) -> str:
    """The one problem that verifying tells; grading does not look at signatures."""
    read_records(signed.parents[1])
    data = verify(signed.parents[1], *arguments)
    assert not data["signature"]["holds"]
    (problem,) = data["problems"]
    return str(problem)


def test_a_signature_of_somebody_else_is_refused(signed: Path, tmp_path: Path) -> None:
    allowed = signers(tmp_path / "allowed", new_key(tmp_path / "other"))
    assert "is of none of the signers" in told(signed, "--signers", allowed)


def test_a_key_that_may_not_sign_this_is_refused(signed: Path, key: Path, tmp_path: Path) -> None:
    allowed = signers(tmp_path / "allowed", key, options='namespaces="git"')
    assert "is of none of the signers" in told(signed, "--signers", allowed)


@pytest.mark.parametrize("by_whom", [True, False])
def test_a_signature_of_an_earlier_record_is_refused_until_it_is_signed_again(
    signed: Path, key: Path, tmp_path: Path, by_whom: bool
) -> None:
    record(signed.parents[1], throws=300)
    more = ["--signers", signers(tmp_path / "allowed", key)] if by_whom else []
    assert "evidence/index.json.sig: does not fit index.json" in told(signed, *more)
    assert "earwitness record sign" in told(signed, *more)
    assert run("sign", signed.parents[1], "--key", key).exit_code == 0
    assert verify(signed.parents[1], *more)["signature"]["holds"]


@pytest.mark.parametrize("content", [b"", b"signed by me\n", b"-----BEGIN SSH SIGNATURE-----\n"])
def test_a_damaged_signature_is_refused(signed: Path, content: bytes) -> None:
    signed.write_bytes(content)
    assert "does not fit index.json" in told(signed)


@pytest.mark.parametrize("name", REFORMATTED)
def test_a_reformatted_index_is_still_signed(signed: Path, name: str) -> None:
    index = signed.with_name("index.json")
    index.write_bytes(REFORMATTED[name](index.read_text()))
    signed.write_bytes(signed.read_bytes().replace(b"\n", b"\r\n"))
    assert verify(signed.parents[1])["signature"]["holds"]


def test_signers_without_a_signature_are_refused(entry: Path, key: Path, tmp_path: Path) -> None:
    assert "is not there, but signers were named" in told(entry, "--signers", signers(tmp_path / "allowed", key))


def test_signers_that_are_not_there_are_named(signed: Path, tmp_path: Path) -> None:
    assert "there is no such file" in told(signed, "--signers", tmp_path / "nobody")


def test_a_record_that_was_edited_is_not_signed(entry: Path, key: Path) -> None:
    edit_content(entry, CONTENT["n"])
    done = run("sign", entry.parents[1], "--key", key)
    assert done.exit_code == 2
    assert f"evidence/{entry.name}: was changed" in done.stderr
    assert not entry.with_name("index.json.sig").exists()


def test_there_is_nothing_to_sign_without_a_record(foreign_quiz: Path, key: Path) -> None:
    done = run("sign", foreign_quiz, "--key", key)
    assert done.exit_code == 2
    assert "there is no evidence of record to sign" in done.stderr


@pytest.mark.parametrize(("content", "what"), [(None, "there is no such file"), ("no key", "cannot be used to sign")])
def test_a_key_that_cannot_be_used_is_named(entry: Path, tmp_path: Path, content: str | None, what: str) -> None:
    need_program("ssh-keygen")
    key = tmp_path / "key"
    if content:
        key.write_text(content)
    done = run("sign", entry.parents[1], "--key", key)
    assert done.exit_code == 2
    assert f"{key}: {what}" in done.stderr
    assert not entry.with_name("index.json.sig").exists()


def test_a_machine_without_ssh_keygen_says_so(
    signed: Path, key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    assert "cannot be checked: the program ssh-keygen is not here" in told(signed)
    done = run("sign", signed.parents[1], "--key", key)
    assert done.exit_code == 2
    assert "install OpenSSH" in done.stderr


def test_a_real_process_signs_and_verifies(earwitness: Any, entry: Path, key: Path, tmp_path: Path) -> None:
    quiz = shutil.copytree(entry.parents[1], tmp_path / "another quiz")
    assert earwitness("record", "sign", quiz, "--key", key).returncode == 0
    done = earwitness("record", "verify", quiz, "--signers", signers(tmp_path / "allowed", key))
    assert done.returncode == 0, done.stderr
    assert "signed by ming@example.org" in done.stdout
