"""Find Mimi's weights (a folder, the Hugging Face cache, or the hub) and say exactly which weights they are."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from basics.errors import InputError, Problem, Unavailable
from basics.files import sha256_of
from basics.messages import Message, say, together

MIMI = "kyutai/mimi"
PINNED = "89091b3e466eb6a9d11e537bf26b144f194978f7"  # the commit of kyutai/mimi that evidence of record uses
KYUTAI_DIGESTS = {
    # sha256 of the published files, which many public projects record independently of each other
    "bac7e85083dcded655d24eaadde7e6eea34c0da1b35fa2d284e641bd2b942a5e": "kyutai/mimi at PINNED, model.safetensors",
    "09b782f0629851a271227fb9d36db65c041790365f11bbe5d3d59369cf863f50": "tokenizer-e351c8d8-checkpoint125.safetensors",
}
CONFIG, TENSORS = "config.json", "model.safetensors"
POCKET = Path(__file__).parent.parent / "pocket_mimi"
NAMES: Mapping[str, str | Path] = {"mimi": MIMI, "pocket": POCKET}
"""Where the codecs are that go by a name of their own."""
HUB = re.compile(r"(?P<source>[\w.-]+/[\w.-]+):(?P<revision>[\w.-]+)")
FETCH_AGAIN = say("copy or download the file again")
PROBE_TIMEOUT = 3.0  # s, to notice that there is no network (the hub client alone retries for 24 s)


@dataclass(frozen=True)
class Weights:
    """One checkpoint: its tensors, its configuration (None: Mimi's own), and where it came from.

    `find_weights(place)` finds it again, in another process too.
    """

    tensors: Path
    config: Path | None
    source: str  # hub id, or the folder's name
    revision: str | None = None  # hub commit
    place: str = ""  # absolute path, or hub id and commit

    @cached_property
    def digest(self) -> str:
        """sha256 of the tensors' file, which is read once as long as it does not change."""
        status = self.tensors.stat()
        return _digest(self.tensors, status.st_size, status.st_mtime_ns)

    @cached_property
    def config_digest(self) -> str | None:
        """sha256 of config.json, where there is one: the same tensors give other sound under another configuration."""
        return sha256_of(self.config) if self.config else None

    @property
    def identity(self) -> tuple[str, str | None]:
        """What the codec's output depends on, besides its input and the libraries."""
        return self.digest, self.config_digest

    @property
    def files(self) -> Mapping[str, str]:
        """sha256 by name of what there is besides the tensors, for an evaluator's inputs."""
        return {CONFIG: self.config_digest} if self.config_digest else {}

    @property
    def is_reference(self) -> bool:
        """Whether these are the tensors that Kyutai published, known by their digest alone.

        A cache folder is called kyutai/mimi by whoever made it, the download itself included: what the hub serves at
        the pinned commit has the first of `KYUTAI_DIGESTS`, and anything else is not what evidence of record rests on.
        """
        return self.digest in KYUTAI_DIGESTS

    @property
    def name(self) -> str:
        """What the codec is called in evidence: a name that is claimed and not borne out comes with the digest."""
        if self.is_reference:
            return MIMI
        return f"{self.source} of other weights ({self.digest[:8]})" if self.source == MIMI else self.source

    @property
    def settings(self) -> Mapping[str, Any]:
        """Contents of config.json; empty for a bare file of tensors, which then is of Mimi's own architecture."""
        if self.config is None:
            return {}
        try:
            settings = json.loads(self.config.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise InputError(
                Problem(f"{self.config}:{error.lineno}", say("not JSON ({error})", error=error.msg), FETCH_AGAIN)
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                Problem(str(self.config), say("cannot be read ({reason})", reason=error), FETCH_AGAIN)
            ) from None
        if not isinstance(settings, dict):
            what = say("holds a {type}, expected an object", type=type(settings).__name__)
            raise InputError(Problem(str(self.config), what, FETCH_AGAIN))
        return settings

    def describe(self) -> dict[str, str]:
        """Source, revision and digest, for provenance."""
        return {"source": self.source, "revision": self.revision or "none", "weights_sha256": self.digest}


def find_weights(source: str | Path, revision: str | None = None, *, download: bool = True) -> Weights:
    """Weights of one of `NAMES`, a folder, a `.safetensors` file, or a hub id (`owner/name:COMMIT`), local cache first.

    A hub id is taken at its commit, or at `revision`; without one kyutai/mimi is taken at the pinned commit and any
    other repository at its main branch. A cache that has a part of it only, as a download that broke off leaves, is
    passed over. Without `download` the hub is never asked. Raises Unavailable, naming the three ways to supply weights,
    when there are none; InputError for a folder of something else.
    """
    source = NAMES.get(str(source), source)
    path = Path(source).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if path.name == TENSORS and path.with_name(CONFIG).is_file():
        return _in_folder(path.parent)
    if path.is_file():
        return Weights(path, None, path.name, place=str(path.absolute()))
    if isinstance(source, str) and (found := HUB.fullmatch(source)):
        source, revision = found["source"], found["revision"]
    if not _is_hub_id(source):
        raise _unavailable(say("no codec at {source}", source=source))
    return _on_hub(str(source), revision or (PINNED if source == MIMI else "main"), download=download)


def _is_hub_id(source: str | Path) -> bool:
    parts = source.split("/") if isinstance(source, str) else []
    return len(parts) == 2 and all(parts) and parts[0] not in (".", "..", "~")


@lru_cache(maxsize=8)
def _digest(tensors: Path, _size: int, _modified: int) -> str:
    return sha256_of(tensors)


def _in_folder(folder: Path) -> Weights:
    tensors = folder / TENSORS
    if not tensors.is_file():
        candidates = sorted(folder.glob("*.safetensors"))
        if len(candidates) != 1:
            found = say("holds {n} .safetensors files and no {file}", n=len(candidates), file=TENSORS)
            raise InputError(
                Problem(
                    str(folder),
                    found,
                    say(
                        "expected {config_file} and {weights_file}, as save_pretrained writes",
                        config_file=CONFIG,
                        weights_file=TENSORS,
                    ),
                )
            )
        tensors = candidates[0]
    config = folder / CONFIG
    cached = _cached_repository(folder)
    source, revision = cached or (folder.resolve().name, None)
    return Weights(tensors, config if config.is_file() else None, source, revision, str(folder.absolute()))


def _cached_repository(folder: Path) -> tuple[str, str] | None:
    """Hub id and commit when `folder` is a snapshot in a Hugging Face cache (models--OWNER--NAME/snapshots/COMMIT)."""
    snapshots = folder.absolute().parent
    owner = snapshots.parent.name.split("--")
    if snapshots.name != "snapshots" or len(owner) != 3 or owner[0] != "models":
        return None
    return f"{owner[1]}/{owner[2]}", folder.name


def _on_hub(repository: str, revision: str, *, download: bool) -> Weights:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    fetch = partial(snapshot_download, repository, revision=revision, allow_patterns=[CONFIG, TENSORS])
    where = say("{codec} at revision {revision} is not in the local cache", codec=repository, revision=revision)
    try:
        cached = Path(fetch(local_files_only=True))
        if not (lacking := [name for name in (CONFIG, TENSORS) if not (cached / name).is_file()]):
            return _fetched(cached)
        where = say(
            "{codec} at revision {revision} is in the local cache without {missing}",
            codec=repository,
            revision=revision,
            missing=together(lacking, say(" and ")),
        )
    except LocalEntryNotFoundError:
        pass
    except HFValidationError:
        raise _unavailable(
            say("no codec at {repository!r}: neither a folder nor a hub id", repository=repository)
        ) from None
    if not download:
        raise _unavailable(where, repository, revision)
    if constants.HF_HUB_OFFLINE:
        raise _unavailable(
            say("{problem}, and HF_HUB_OFFLINE forbids downloading it", problem=where), repository, revision
        )
    if not _is_address(constants.ENDPOINT):
        raise _unavailable(
            say(
                "{problem}, and HF_ENDPOINT is {address!r}, expected an address such as https://huggingface.co",
                problem=where,
                address=constants.ENDPOINT,
            ),
            repository,
            revision,
        )
    if not _reachable(constants.ENDPOINT):
        raise _unavailable(say("{problem}, and the hub cannot be reached", problem=where), repository, revision)
    try:
        return _fetched(Path(fetch()))
    except InputError:
        raise
    except Exception as error:  # the hub's client passes on whatever its own client for HTTP raises
        raise _unavailable(
            say("{problem}, and downloading it failed ({error_type})", problem=where, error_type=type(error).__name__),
            repository,
            revision,
        ) from None


def _fetched(folder: Path) -> Weights:
    found = _in_folder(folder)
    return replace(found, place=f"{found.source}:{found.revision}")  # another machine has a cache of its own


def _is_address(endpoint: str) -> bool:
    try:
        address = urlsplit(endpoint)
        return address.scheme in ("http", "https") and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:
        return False


def _reachable(endpoint: str) -> bool:
    """Whether the hub answers at all; behind a proxy only the download itself can tell."""
    address = urlsplit(endpoint)
    if getproxies():
        return True
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=PROBE_TIMEOUT):
            return True
    except OSError:
        return False


def _unavailable(what: Message, repository: str = MIMI, revision: str = PINNED) -> Unavailable:
    return Unavailable(
        what,
        say(
            "supply the codec's weights in one of three ways: (1) a folder with {config_file} and {weights_file}: "
            "--codec FOLDER; (2) the Hugging Face cache: run `hf download {repository} --revision "
            "{revision}` where there is a network, and copy the cache folder (HF_HOME) here; (3) the "
            "hub: with a network and without HF_HUB_OFFLINE, --codec {repository} downloads them",
            config_file=CONFIG,
            weights_file=TENSORS,
            repository=repository,
            revision=revision,
        ),
    )
