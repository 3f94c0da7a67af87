"""Draw hostile inputs, run the program on them, and print what came of it by family.

`--cases N` draws N for each family with fixed seeds; `--minutes M` goes on with new ones until then.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import stat
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.hostile.driver import Ended, attempt
from tests.hostile.families import FAMILIES, Arguments, Family
from tests.hostile.world import copied, worlds

FAULTS = ("traceback", "crash", "hang", "memory", "steering", "outside", "replaced", "torn", "unnoticed")


@dataclass
class Tally:
    """What came of a family's cases."""

    cases: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, fault: str, arguments: Arguments, ended: Ended) -> None:
        self.cases += 1
        if fault:
            self.faults[fault] += 1
            told = f"{fault}: {' '.join(arguments)!r} ended with {ended.code}\n{ended.said[-1500:]}"
            line = (ended.said.strip().splitlines() or [""])[-2 if "broke:" in ended.said else -1]
            self.examples.setdefault(f"{fault} {arguments[0]} {line[:70]}", told)


def special(path: Path) -> int:
    """The kind of a pipe, device or socket; 0 for whatever else is there."""
    kind = stat.S_IFMT(path.lstat().st_mode) if os.path.lexists(path) else 0
    return 0 if kind in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK) else kind


def try_family(family: Family, made: Path, cases: int, number: int, tally: Tally) -> None:
    """Draw and run cases of one family; the same ones for the same `number`."""

    @seed(int.from_bytes(hashlib.sha256(f"{family.name} {number}".encode()).digest()[:6]))
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def one(data: Any) -> None:
        with copied(made) as world:
            arguments = family.spoil(lambda strategy: data.draw(strategy), world)
            was = special(world / "here")
            ended = attempt(arguments, world)
            fault = ended.fault
            if not fault and family.noticed and ended.code == 0:
                fault = "unnoticed"
            if not fault and was != special(world / "here") and was:
                fault = "replaced"
            if not fault and family.name == "disks" and attempt(("ledger", "run"), world).code:
                fault = "torn"
            if not fault and sorted(path.name for path in world.parent.iterdir()) != ["world"]:
                fault = "outside"
            tally.add(fault, arguments, ended)

    one()


def main() -> int:
    """Print a table, and examples of each fault; the exit code says whether there was one."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--cases", type=int, default=50, help="cases a family and round")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on drawing new ones for so long")
    parser.add_argument("--family", action="append", choices=[family.name for family in FAMILIES])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    wanted = parser.parse_args()
    chosen = [family for family in FAMILIES if not wanted.family or family.name in wanted.family]
    tallies = {family.name: Tally() for family in chosen}
    until, number = time.monotonic() + 60 * wanted.minutes, wanted.seed
    with worlds() as made:
        while True:
            for family in chosen:
                try_family(family, made, math.ceil(wanted.cases * family.share), number, tallies[family.name])
            number += 1
            if time.monotonic() >= until:
                break
    for tally in tallies.values():
        for told in tally.examples.values():
            print(told.encode("unicode_escape").decode().replace("\\n", "\n"), file=sys.stderr)
    if wanted.json:
        print(json.dumps({name: {"cases": tally.cases, **tally.faults} for name, tally in tallies.items()}))
    else:
        print(f"{'family':<10}{'cases':>7}" + "".join(f"{fault:>11}" for fault in FAULTS))
        for name, tally in tallies.items():
            print(f"{name:<10}{tally.cases:>7}" + "".join(f"{tally.faults[fault]:>11}" for fault in FAULTS))
    return int(any(tally.faults for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
