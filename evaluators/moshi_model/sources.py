"""What is absent from the released dialogue code, and how that absence is established.

Searched, comments and docstrings included, are all modules of the package that `moshi.server` reaches by its imports:
that is the program people talk to. The package also ships Kyutai's separate text-to-speech, which knows turns; it is
not reached. The same search has to find a word that is there, or nothing it reports counts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from basics.errors import Undefined
from evaluators.moshi_model.bench import Bench, Observed, Probe, fact

ENTRY = "server"
PATTERNS = {
    "voice_activity": r"(?<![a-z])vad(?![a-z])|voice.?activ|speech.?(detect|activ)|is.?speech|silero|endpointing",
    "turn_token": r"(?<!re)turn|barge.?in|(?<![a-z])eot(?![a-z])",
    "loudness": r"(?<!c)loud|decibel|dbfs|lufs|(?<![a-z])rms(?!_?norm)|energy|amplitude|volume|sound.?level",
}
CONTROL = "streaming"
ASR_OR_TTS = r"(?<![a-z])(asr|stt|tts)(?![a-z])"


class Hit(NamedTuple):
    """A line that matches."""

    path: Path
    line: int
    text: str


def package_root() -> Path:
    """Folder of the installed `moshi` package, without importing it. Raises Undefined if it has no sources."""
    spec = find_spec("moshi")
    if spec is None or not spec.submodule_search_locations:
        raise Undefined("the package moshi is not installed as a folder of sources")
    return Path(spec.submodule_search_locations[0])


def reached(root: Path, entry: str) -> list[Path]:
    """Files of the package at `root` that module `entry` imports, directly or not, with the entry itself."""
    found: set[Path] = set()
    waiting = [(*entry.split("."),)]
    while waiting:
        module = waiting.pop()
        file = _file(root, module)
        if file is None or file in found:
            continue
        found.add(file)
        package = module if file.name == "__init__.py" else module[:-1]
        waiting += [package, *_imports(file, root.name, package)]
    return sorted(found)


def search(files: Iterable[Path], pattern: str) -> list[Hit]:
    """Lines that match, ignoring case."""
    compiled = re.compile(pattern, re.IGNORECASE)
    return [
        Hit(file, number, line.strip())
        for file in files
        for number, line in enumerate(_lines(file), start=1)
        if compiled.search(line)
    ]


def unprinted_ids(server: Path) -> set[int]:
    """Ids in the server's test `text_token not in (…)`, the tokens that it does not print."""
    for node in ast.walk(ast.parse(server.read_text(encoding="utf-8"))):
        match node:
            case ast.Compare(left=ast.Name(id="text_token"), ops=[ast.NotIn()], comparators=[ast.Tuple(elts=ids)]):
                return set(map(ast.literal_eval, ids))
    raise Undefined(f"no test `text_token not in (…)` in {server.name}")


def control(_bench: Bench) -> Mapping[str, Observed | int]:
    """How much was searched, and whether the search finds what is there."""
    root = package_root()
    files = reached(root, ENTRY)
    names = [file.relative_to(root).as_posix() for file in files]
    everything = [file.relative_to(root).as_posix() for file in root.rglob("*.py")]
    apart = sorted(name for name in everything if name not in names and re.search(ASR_OR_TTS, name))
    return {
        "moshi.source_files_searched": Observed(len(files), note=f"of {len(everything)}: {', '.join(names)}"),
        "moshi.source_lines_searched": sum(len(_lines(file)) for file in files),
        "moshi.source_matches_control": Observed(len(search(files, CONTROL)), len(files)),
        "moshi.source_asr_tts_files": Observed(
            sum(bool(re.search(ASR_OR_TTS, name)) for name in names),
            len(files),
            f"shipped but not reached: {', '.join(apart) or 'none'}",
        ),
        "moshi.text_tokens_not_printed": len(unprinted_ids(root / f"{ENTRY}.py")),
    }


def absence(_bench: Bench) -> Mapping[str, Observed]:
    """Lines that speak of voice activity, turns or loudness."""
    root = package_root()
    files = reached(root, ENTRY)
    if not search(files, CONTROL):
        raise Undefined(f"the search does not even find {CONTROL!r} in {len(files)} files: its silence means nothing")
    elsewhere = sorted(set(root.rglob("*.py")) - set(files))
    lines = sum(len(_lines(file)) for file in files)
    return {
        f"moshi.source_matches_{topic}": Observed(
            len(hits := search(files, pattern)),
            len(files),
            f"{len(files)} files, {lines} lines; {_listed(hits, root)}; "
            f"in the rest of the package, apart from the dialogue: {_listed(search(elsewhere, pattern), root)}",
        )
        for topic, pattern in PATTERNS.items()
    }


def _listed(hits: list[Hit], root: Path) -> str:
    names = sorted({hit.path.relative_to(root).as_posix() for hit in hits})
    return f"matching lines: {len(hits)}" + (f" in {', '.join(names)}" if names else "")


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _file(root: Path, module: tuple[str, ...]) -> Path | None:
    folder = root.joinpath(*module)
    candidates = [folder / "__init__.py", *([folder.with_suffix(".py")] if module else [])]
    return next((file for file in candidates if file.is_file()), None)


def _imports(file: Path, name: str, package: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Modules of the package `name` that the file imports, relative to its root; imported names may be modules too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    if (parts := alias.name.split("."))[0] == name:
                        yield tuple(parts[1:])
            case ast.ImportFrom(module=module, names=aliases, level=level):
                parts = module.split(".") if module else []
                if level:
                    base = (*package[: len(package) - level + 1], *parts)
                elif parts and parts[0] == name:
                    base = tuple(parts[1:])
                else:
                    continue
                yield base
                yield from ((*base, alias.name) for alias in aliases)


SEARCHED = f"modules reached by imports from moshi.{ENTRY}"

PROBES = (
    Probe(
        "the sources of the dialogue",
        (
            fact("moshi.source_files_searched", "files", "Files searched for what is absent", SEARCHED),
            fact("moshi.source_lines_searched", "lines", "Lines in these files", SEARCHED),
            fact(
                "moshi.source_matches_control",
                "lines",
                "Control: lines with a word that is there",
                f"{SEARCHED}; pattern {CONTROL}",
            ),
            fact(
                "moshi.source_asr_tts_files",
                "files",
                "Files of speech recognition or synthesis among those the dialogue reaches",
                f"{SEARCHED}; file names matching {ASR_OR_TTS}",
            ),
            fact(
                "moshi.text_tokens_not_printed",
                "tokens",
                "Text tokens that the server never prints (the padding)",
                "moshi.server.ServerState.decode_and_send: text_token not in (…)",
            ),
        ),
        control,
    ),
    Probe(
        "absence in the sources",
        tuple(
            fact(
                f"moshi.source_matches_{topic}",
                "lines",
                f"Lines that speak of {about}",
                f"{SEARCHED}; pattern, ignoring case: {PATTERNS[topic]}",
            )
            for topic, about in (
                ("voice_activity", "detecting voice activity"),
                ("turn_token", "turns or their end"),
                ("loudness", "the loudness of the sound"),
            )
        ),
        absence,
    ),
)
