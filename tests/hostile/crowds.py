"""Eight processes at once: on a fresh store, with contradictory decisions, with one opening, into one folder.

`python -m tests.hostile.crowds --rounds 20` prints how many rounds went wrong. One wins and the others are told, or all
wait for the one; whatever is left fits together.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hostile.driver import Ended, attempt
from tests.hostile.families import Q
from tests.hostile.world import GRADE, copied, worlds

MANY = 8
REASON = ("--reason", "it was looked at again")


def at_once(commands: list[tuple[str, ...]], world: Path) -> list[Ended]:
    """All of the commands at the same time."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda arguments: attempt(arguments, world), commands))


def fresh_store(world: Path) -> str:
    """Each measurement is made once."""
    shutil.rmtree(world / "store")
    dice = world.parent.parent / "site" / "thrown.log"
    dice.unlink(missing_ok=True)
    ended = at_once([("key", *Q)] * MANY, world)
    if any(one.code for one in ended):
        return f"ended with {Counter(one.code for one in ended)}: {ended[0].said[-200:]}"
    thrown = dice.read_text().count("x")
    return "" if thrown == 1 else f"measured {thrown} times"


def decisions(world: Path) -> str:
    """One of eight decisions on one appeal is taken, the others are told of it."""
    ways = [("accepted", "--as", "also"), ("rejected",), ("accepted", "--as", "instead"), ("rejected",)] * 2
    appeal = ("appeal", "q02", "A", "--student", "b12901002", "--result", "run", *Q, *REASON)
    ended = at_once([(*appeal, "--by", str(i), "--decision", *way) for i, way in enumerate(ways)], world)
    won = [one for one in ended if one.code == 0]
    told = [one for one in ended if one.code == 2 and "on 20" in one.said]
    if (len(won), len(told)) != (1, MANY - 1):
        return f"{len(won)} won, {len(told)} told: {[one.said[-150:] for one in ended if one.code]}"
    entries = [json.loads(path.read_text()) for path in (world / "run/ledger").glob("*.json")]
    number = sum("appeals/q02-A-b12901002.json" in entry["outputs"] for entry in entries)
    return "" if number == 1 and not attempt(("ledger", "run"), world).code else f"{number} entries of one decision"


def openings(world: Path) -> str:
    """The opening that stays opens the edition that stays."""
    ended = at_once([("export", "student", *Q, "--out", "e", "--opening", "o.json")] * MANY, world)
    won = [one for one in ended if one.code == 0]
    if len(won) != 1 or any(one.code not in (0, 2) for one in ended):
        return f"{len(won)} won: {Counter(one.code for one in ended)}"
    opened = attempt(("export", "open", "e", "o.json"), world)
    return opened.said if opened.code else ""


def one_folder(world: Path) -> str:
    """Every run into one folder has its entry, and what lies there is one run."""
    ended = at_once([(*GRADE, "--rule", rule) for rule in ("net-correct", "all-or-nothing") * (MANY // 2)], world)
    if any(one.code for one in ended):
        return f"ended with {Counter(one.code for one in ended)}: {[one.said[-200:] for one in ended if one.code][:1]}"
    seen = attempt(("ledger", "run"), world)
    number = len(list((world / "run/ledger").glob("*.json")))
    return "" if seen.code == 0 and number == 2 + MANY else f"{number} entries: {seen.said[-200:]}"


CROWDS = (fresh_store, decisions, openings, one_folder)


def main() -> int:
    """Print the rounds that went wrong by kind; the exit code says whether one did."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.crowds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    wrong: Counter[str] = Counter()
    with worlds() as made:
        for _ in range(rounds):
            for crowd in CROWDS:
                with copied(made) as world:
                    if what := crowd(world):
                        wrong[crowd.__name__] += 1
                        print(f"{crowd.__name__}: {what}", file=sys.stderr)
    for crowd in CROWDS:
        print(f"{crowd.__name__:<12}{rounds:>4} rounds of {MANY}{wrong[crowd.__name__]:>5} wrong")
    return int(wrong.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
