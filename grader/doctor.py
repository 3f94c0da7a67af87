"""What an environment is good for: versions beside tested ones, device, weights, clips, and what is still needed.

Nothing is measured and nothing is downloaded; the built-in codec is run on three seconds of sound, to see that it runs.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import audio
from basics.errors import EarwitnessError, InputError, Problem, Unavailable
from basics.messages import NOTHING, Message, quoted, said_by, say, together
from evaluators.evidence import Frozen, Site
from evaluators.packages import (
    PROJECT,
    Package,
    all_packages,
    cause_of,
    how_to_install,
    installed_version,
    not_installed,
    show_traceback,
    whose_fault,
)
from evaluators.provenance import REPOSITORY, git_state
from evaluators.registry import get, owner, targets
from evaluators.store import Store
from grader.quiz.commands import command
from grader.quiz.loading import evaluator_of, parameters_of
from grader.quiz.spec import Question, QuizBook
from grader.verdicts.testimony import Gatherer, key_from

GROUND = Path(audio.__file__).parent
CLIPS, POCKET = GROUND / "clips", GROUND / "pocket_mimi"
SECONDS = 3  # more than one of the chunks in which a codec goes through sound

Result = TypeVar("Result")


class Check(Frozen):
    """One thing that was looked at. `state` is `fault` where the program or a package under it is broken."""

    name: Message
    state: Literal["fine", "absent", "fault"]
    what: Message
    remedy: Message = NOTHING


class Need(Frozen):
    """What an unsettled question is waiting for, and the command that supplies it."""

    question: str
    what: tuple[Message, ...]
    command: str


class Examination(Frozen):
    """All that was found."""

    earwitness: str
    source: Message
    python: str
    platform: Message
    checks: tuple[Check, ...]
    packages: tuple[dict[str, Any], ...]
    needs: tuple[Need, ...]

    @property
    def faults(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.state == "fault")


def examine(book: QuizBook, site: Site) -> Examination:
    """Look at everything; whatever breaks on the way is one of the findings."""
    heard: dict[Message, Callable[[], Message]] = {
        say("device"): device,
        say("codec"): lambda: weights(book.quiz.codec),
        say("built-in codec"): run_pocket_codec,
        say("built-in clips"): built_in_clips,
        say("clips"): lambda: clips(site),
        say("corpus"): lambda: corpus(site),
        say("recogniser"): recogniser,
    }
    looks: dict[Message, Callable[[], Message]] = {
        **(heard if book.listens else {}),
        say("store"): writable,
        say("evaluators"): evaluators,
    }
    machine = quoted(f"{platform.system()} {platform.machine()}")
    return Examination(
        earwitness=installed_version(PROJECT),
        source=source(),
        python=platform.python_version(),
        platform=say("{machine}, {n} processors", machine=machine, n=os.cpu_count()),
        checks=tuple(look(name, action) for name, action in looks.items()),
        packages=tuple(map(package_data, all_packages())),
        needs=tuple(needs(book, site)),
    )


def source() -> Message:
    """Where the program runs from."""
    commit, dirty = git_state()
    if not commit:
        return quoted(str(REPOSITORY))
    told = say("checkout {folder}, commit {commit}", folder=REPOSITORY, commit=commit[:10])
    return say("{checkout} (dirty)", checkout=told) if dirty else told


def look(name: Message, action: Callable[[], Message]) -> Check:
    """What an action finds, or why it finds nothing."""
    try:
        return Check(name=name, state="fine", what=action())
    except Unavailable as error:
        return Check(name=name, state="absent", what=error.what, remedy=error.remedy)
    except InputError as error:
        return Check(name=name, state="fault", what=said_by(error))
    except Exception as error:
        if package := not_installed(error):
            what = say("the package {package} is not installed", package=package)
            return Check(name=name, state="absent", what=what, remedy=how_to_install(package))
        show_traceback(error)
        fault = whose_fault(f"{PROJECT} {installed_version(PROJECT)}", error)
        return Check(name=name, state="fault", what=say("broke: {cause}", cause=cause_of(error)), remedy=fault)


def package_data(package: Package) -> dict[str, Any]:
    """One package as JSON data."""
    return {
        "name": package.name,
        "installed": package.installed,
        "tested": list(package.tested),
        "state": package.state,
    }


def device() -> Message:
    """What torch would run on."""
    import torch

    if not torch.cuda.is_available():
        return say(
            "CPU, {n} threads (torch {version} sees no CUDA device)",
            n=torch.get_num_threads(),
            version=torch.__version__,
        )
    return quoted(", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())))


def weights(codec: str) -> Message:
    """The weights of the codec of record: which revision, and their digest."""
    from audio.codec.weights import find_weights

    found = find_weights(codec, download=False)
    revision = found.revision or say("an unknown revision")
    return say("{codec} at {revision}, sha256 {digest}", codec=codec, revision=revision, digest=found.digest)


def run_pocket_codec() -> Message:
    """Encode and decode a built-in clip in more than one chunk. Raises what breaks."""
    from audio.clip import load
    from audio.codec import load_codec

    codec = load_codec(POCKET, device="cpu")
    sound = load(CLIPS / "English_speech.flac", codec.sample_rate).samples[: SECONDS * codec.sample_rate]
    (made,) = codec.reconstruct([sound], 8)
    seconds = len(made) / codec.sample_rate
    return say("runs ({backend}, {seconds:.1f} s there and back)", backend=codec.provenance["backend"], seconds=seconds)


def built_in_clips() -> Message:
    """How many clips came with the package."""
    found = sum(1 for _ in CLIPS.rglob("*.flac"))
    if not found:
        raise Unavailable(say("no clips in {folder}", folder=CLIPS), say("install the package again"))
    return say("{n} clips for demonstrations", n=found)


def clips(site: Site) -> Message:
    """What plays which role in the folder that was named."""
    from audio.formats import read_folder

    folder = need(site.audio, say("no folder was named"), say("name it with --audio"))
    there = read_folder(folder)
    found = [path.name for path in there.sounds]
    more = " …" if len(found) > 6 else ""
    named = say("{n} files in {folder}: {names}", n=len(found), folder=folder, names=", ".join(found[:6]) + more)
    return together(filter(None, (named, there.remark)))


def corpus(site: Site) -> Message:
    """How many clips of which emotion there are in the corpus that was named."""
    from collections import Counter

    from audio.corpus import read_emotions

    folder = need(site.corpus, say("no emotional speech was named"), say("name it with --corpus"))
    found = read_emotions(folder, leave_out=site.leave_out)
    counts = Counter(clip.label for clip in found.clips)
    by_label = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
    named = say("{n} clips in {folder}: {counts}", n=len(found.clips), folder=folder, counts=by_label)
    return together((named, *found.missing))


def need(path: Path | None, what: Message, remedy: Message) -> Path:
    """A path that was given. Raises Unavailable."""
    if path is None:
        raise Unavailable(what, remedy)
    return path


def recogniser() -> Message:
    """Which speech recogniser would write transcripts."""
    from evaluators.speaker_gender.transcribe import POCKETSPHINX, choose_recogniser

    chosen = choose_recogniser("auto")
    if chosen == POCKETSPHINX:
        import pocketsphinx  # type: ignore[import-untyped] # noqa: F401 - only whether it is here
    return say("{recogniser} (the best that is on this machine)", recogniser=chosen)


def writable() -> Message:
    """Where results are kept, and how many there are. Raises InputError where nothing can be read or written."""
    store = Store()
    store.require_writable()
    kept = sum(1 for _ in (store.root / "evidence").rglob("*.json"))
    return say("{folder}, {n} pieces of evidence", folder=store.root, n=kept)


def evaluators() -> Message:
    """Every evaluator with the package that brings it. Raises InputError naming those that cannot be loaded."""
    problems: list[Problem] = []
    for name in targets():
        try:
            get(name)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return quoted(", ".join(f"{name} ({owner(name)})" for name in sorted(targets())))


def needs(book: QuizBook, site: Site) -> Iterator[Need]:
    """What each question that is unsettled from the evidence at hand is waiting for."""
    try:
        store = Store()
    except InputError:
        store = None  # told by `writable`; what is of record is at hand without it
    gatherer = Gatherer(book, book.quiz.accept, site, store, "cached")
    key = key_from(book, [gatherer.testimony(question) for question in book.questions], book.quiz.accept)
    for entry in key.unsettled:
        found = _need(book, book.question(entry.id), site)
        yield found if found.what else found.model_copy(update={"what": entry.obstacles})


def _need(book: QuizBook, question: Question, site: Site) -> Need:
    bench = book.bench
    told: list[Message] = []
    flags: dict[str, None] = {}
    for request in question.evidence:
        try:
            evaluator_of(request, bench).inputs(parameters_of(request, bench), site)
        except Unavailable as error:
            told.append(say("{evaluator}: {what}", evaluator=request.evaluator, what=error.what))
            flags |= dict.fromkeys(re.findall(r"--(?:audio|corpus|pairs|responses) [A-Z]+", error.remedy))
        except EarwitnessError as error:
            told.append(say("{evaluator}: {what}", evaluator=request.evaluator, what=said_by(error)))
        except Exception as error:
            absent = not_installed(error)
            what = say("needs the package {package}", package=absent) if absent else quoted(cause_of(error))
            told.append(say("{evaluator}: {what}", evaluator=request.evaluator, what=what))
    words = [word for flag in flags for word in flag.split()]
    return Need(question=question.id, what=tuple(told), command=command(book.folder, "evidence", question.id, *words))
