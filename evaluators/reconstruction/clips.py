"""Codec mode: which files play which role, and which codec reconstructs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from audio.corpus import find_role
from basics.errors import InputError, Problem, Unavailable

SUPPLY = "name the folder of the clips: --audio DIR"


def find_clips(folder: Path | None, wanted: Mapping[str, str]) -> dict[str, dict[str, Path]]:
    """The files of every role by their path inside `folder`: those the question names, else what plays the role there.

    Raises Unavailable naming every clip that is missing.
    """
    if folder is None:
        raise Unavailable(f"no clips were given ({', '.join(wanted.values())})", SUPPLY)
    if not folder.is_dir():
        raise InputError(Problem(str(folder), "is not a folder", SUPPLY))
    found: dict[str, dict[str, Path]] = {}
    missing: list[Unavailable] = []
    for role, name in wanted.items():
        try:
            found[role] = {path.relative_to(folder).as_posix(): path for path in _find(folder, role, name)}
        except Unavailable as error:
            missing.append(error)
    if missing:
        raise together(missing)
    return found


def _find(folder: Path, role: str, name: str) -> tuple[Path, ...]:
    try:
        return find_role(folder, name)
    except Unavailable as named:
        try:
            return find_role(folder, role)
        except Unavailable:
            raise named from None


def together(missing: list[Unavailable]) -> Unavailable:
    """Several missing things as one."""
    remedies = dict.fromkeys(error.remedy for error in missing)
    return Unavailable("; ".join(error.what for error in missing), "\n    -> ".join(remedies))
