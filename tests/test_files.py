"""The one writer: whole files, the user's permissions, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from basics.errors import InputError
from basics.files import SECRET, replacing, write_whole, writing_text


@pytest.fixture
def narrow() -> object:
    """The umask of somebody who shares nothing."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    with writing_text(path) as file:
        file.write("中文\r\n")
        assert path.read_bytes() == b"new", "until the block ends"
    assert path.read_bytes() == "中文\r\n".encode()
    assert list(path.parent.iterdir()) == [path]


def write_half(path: Path) -> None:
    with writing_text(path) as file:
        file.write("half")
        file.flush()
        _ = 1 / 0


def test_what_goes_wrong_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_whole(path, b"old")
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    with pytest.raises(KeyboardInterrupt), replacing(path):
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_the_umasks_and_secrets_are_their_owners(tmp_path: Path, narrow: None) -> None:  # noqa: ARG001
    write_whole(tmp_path / "shared", b"")
    assert mode(tmp_path / "shared") == 0o600
    os.umask(0o022)
    write_whole(tmp_path / "open", b"")
    write_whole(tmp_path / "secret", b"", mode=SECRET)
    assert mode(tmp_path / "open") == 0o644
    assert mode(tmp_path / "secret") == 0o600


@pytest.mark.parametrize("target", ["folder", "file/below", "x" * 300])
def test_what_cannot_be_written_is_named_with_the_reason(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as told:
        write_whole(tmp_path / target, b"content")
    assert str(tmp_path / target) in str(told.value)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


def test_a_full_disk_is_one_message_and_keeps_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the system refuses the same way."""
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from basics.errors import InputError\n"
        "from basics.files import write_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_whole(Path(sys.argv[1]), b'x' * 5000)\n"
        "except InputError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "cannot be written (File too large)" in done.stdout
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_at_any_moment_leaves_an_old_or_a_new_file_never_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"\0" * 300_000)
    code = (
        "import sys\nfrom pathlib import Path\nfrom basics.files import write_whole\n"
        "n = 0\nprint('on', flush=True)\n"
        "while True:\n    n = n % 255 + 1\n    write_whole(Path(sys.argv[1]), bytes([n]) * 300_000)\n"
    )
    for moment in range(12):
        writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(0.003 * moment)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1
