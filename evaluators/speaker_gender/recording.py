"""Ask the models about every clip and write each answer down as soon as it is there; go on where a run was cut short.

One JSON object a line: model, models (checkpoint ids), clip, clip_sha256, gender, synthetic, transcript, response and
recipe. A line is written whole and flushed to the disk; half a line, left by a run that broke off, is taken out first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audio.formats import MAIN, read_folder
from basics.errors import EarwitnessError, InputError, Problem, Unavailable, Undefined
from basics.files import sha256_of, write_whole
from basics.messages import say
from evaluators.evidence import digest
from evaluators.packages import cause_of, show_traceback
from evaluators.speaker_gender.models import BEAMS, INSTRUCTION, NEW_TOKENS, SEED, SYSTEM, System
from evaluators.speaker_gender.responses import Gender
from evaluators.speaker_gender.transcribe import SAMPLE_RATE
from evaluators.speaker_gender.voices import list_voices

ROLES = ("gender", "parallel")


@dataclass(frozen=True)
class Clip:
    """A clip to ask about: its path, its name in the record, its speaker's gender where it is known, and its kind."""

    path: Path
    name: str
    gender: Gender | None = None
    synthetic: bool = False


@dataclass(frozen=True)
class Plan:
    """One model to ask: its name in the question, its checkpoints, and how to load it."""

    model: str
    models: tuple[str, ...]
    load: Callable[[], System]

    @property
    def recipe(self) -> str:
        """Digest of all that decides an answer besides the checkpoints and the sound."""
        return digest([SYSTEM, INSTRUCTION, SEED, BEAMS, NEW_TOKENS[self.model]])[:12]


@dataclass
class Outcome:
    """What became of a run: answers written now, answers that were there, and what could not be done."""

    written: int = 0
    known: int = 0
    problems: tuple[EarwitnessError, ...] = ()


def clips_in(folder: Path) -> tuple[Clip, ...]:
    """The clips of known speakers in a folder (manifest or homework names), or all its audio files where none is known.

    One that cannot be read costs its own answer when it is asked about, not the others'.

    Raises InputError when there is no audio file, or the manifest cannot be used.
    """
    if not folder.is_dir():
        raise InputError(
            Problem(str(folder), say("no such folder"), say("give the folder with the clips: --audio DIR"))
        )
    try:
        voices = list_voices(folder, "", ROLES)
        return tuple(Clip(v.path, v.path.relative_to(folder).as_posix(), v.gender, v.synthetic) for v in voices)
    except Unavailable:
        found = tuple(Clip(p, p.relative_to(folder).as_posix()) for p in read_folder(folder).sounds)
    if not found:
        raise InputError(
            Problem(
                str(folder),
                say("holds no audio file"),
                say("expected files ending in {suffixes}", suffixes=", ".join(MAIN)),
            )
        )
    return found


def record(clips: Sequence[Clip], plans: Sequence[Plan], out: Path, progress: Callable[[str, float], None]) -> Outcome:
    """Ask every model about every clip that `out` has no answer to; a model or clip that fails does not stop the rest.

    Raises InputError when `out` holds something else, or answers of the same model by other checkpoints or prompts.
    """
    rows = _resume(out)
    _require_same(rows, plans, out)
    done = {(row.get("model"), row.get("clip_sha256")) for row in rows}
    outcome = Outcome()
    for number, plan in enumerate(plans):
        pending = [(clip, sha) for clip in clips if (plan.model, sha := sha256_of(clip.path)) not in done]
        outcome.known += len(clips) - len(pending)

        def report(step: str, share: float, number: int = number) -> None:
            progress(step, (number + share) / len(plans))

        if pending:
            _ask_all(plan, pending, out, outcome, report)
    return outcome


def _ask_all(
    plan: Plan, pending: Sequence[tuple[Clip, str]], out: Path, outcome: Outcome, report: Callable[[str, float], None]
) -> None:
    try:
        system = plan.load()
    except (Unavailable, InputError) as error:
        outcome.problems += (error,)
        return
    except Exception as error:  # libraries raise what they like; the other model is still to be asked
        show_traceback(error)
        what = say(
            "{model} ({checkpoints}) cannot be loaded: {cause}",
            model=plan.model,
            checkpoints=", ".join(plan.models),
            cause=cause_of(error),
        )
        outcome.problems += (Unavailable(what, say("see that memory is free, or name other checkpoints")),)
        return
    for number, (clip, sha) in enumerate(pending):
        report(f"{plan.model} on {clip.name}", number / len(pending))
        try:
            row = _ask(system, plan, clip, sha)
        except InputError as error:
            outcome.problems += (error,)
            continue
        except Undefined as undefined:
            outcome.problems += (
                InputError(
                    Problem(
                        clip.name, say("is not asked of {model}: {reason}", model=plan.model, reason=undefined.reason)
                    )
                ),
            )
            continue
        except Exception as error:  # as above: the other clips are still to be asked about
            show_traceback(error)
            outcome.problems += (
                InputError(
                    Problem(clip.name, say("{model} broke on it: {cause}", model=plan.model, cause=cause_of(error)))
                ),
            )
            continue
        _append(out, row)
        outcome.written += 1


def _ask(system: System, plan: Plan, clip: Clip, sha256: str) -> dict[str, Any]:
    from audio.clip import load

    answer = system(load(clip.path, SAMPLE_RATE).samples)
    return {
        "model": plan.model,
        "models": list(plan.models),
        "clip": clip.name,
        "clip_sha256": sha256,
        "gender": clip.gender,
        "synthetic": clip.synthetic,
        "transcript": answer.transcript,
        "response": answer.response,
        "recipe": plan.recipe,
    }


def _append(out: Path, row: dict[str, Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("ab") as file:
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _resume(out: Path) -> list[dict[str, Any]]:
    """The answers that `out` holds; half a last line is taken out of it. Raises InputError for anything else."""
    _require_writable(out)
    if not out.exists():
        return []
    content = out.read_bytes()
    whole, _, rest = content.rpartition(b"\n")
    if rest:
        write_whole(out, whole + b"\n" if whole else b"")
    rows, problems = [], []
    for number, line in enumerate(filter(None, whole.split(b"\n")), start=1):
        row = _parsed(line)
        if row is None:
            problems.append(
                Problem(f"{out.name} line {number}", say("is not an answer"), say("remove it, or give another --out"))
            )
        else:
            rows.append(row)
    if problems:
        raise InputError(problems)
    return rows


def _require_writable(out: Path) -> None:
    """Raises InputError where no answers can be written, before a model is loaded for them."""
    remedy = say("give the answers' file: --out responses.jsonl")
    if out.is_dir():
        raise InputError(Problem(str(out), say("is a folder"), remedy))
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if there != out and not there.is_dir():
        raise InputError(Problem(str(out), say("cannot be written: {path} is no folder", path=there), remedy))
    if not os.access(there, os.W_OK):
        raise InputError(Problem(str(out), say("cannot be written: no permission for {path}", path=there), remedy))


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return row if isinstance(row, dict) and "model" in row else None


def _require_same(rows: Sequence[dict[str, Any]], plans: Sequence[Plan], out: Path) -> None:
    problems = list(_differences(rows, plans, out))
    if problems:
        raise InputError(problems)


def _differences(rows: Sequence[dict[str, Any]], plans: Sequence[Plan], out: Path) -> Iterator[Problem]:
    for plan in plans:
        own = [row for row in rows if row["model"] == plan.model]
        others = {tuple(row.get("models") or ()) for row in own} - {plan.models}
        if others:
            held = "; ".join(", ".join(ids) or "unnamed checkpoints" for ids in sorted(others))
            yield Problem(
                str(out),
                say("holds answers of {model} by {checkpoints}", model=plan.model, checkpoints=held),
                say("give another --out, or name those"),
            )
        elif any(row.get("recipe") != plan.recipe for row in own):
            yield Problem(
                str(out),
                say("holds answers of {model} to other prompts or settings", model=plan.model),
                say("give another --out"),
            )
