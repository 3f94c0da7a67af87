"""Counts comparisons of two ways to sort: `python count.py 500` prints JSON. The numbers are drawn with a seed."""

from __future__ import annotations

import json
import os
import random
import sys


def insertion(values: list[float]) -> int:
    """Sort in place; the number of comparisons."""
    count = 0
    for i in range(1, len(values)):
        j = i
        while j:
            count += 1
            if values[j - 1] <= values[j]:
                break
            values[j - 1], values[j] = values[j], values[j - 1]
            j -= 1
    return count


def merge(values: list[float]) -> int:
    """Sort in place; the number of comparisons."""
    if len(values) < 2:
        return 0
    left, right = values[: len(values) // 2], values[len(values) // 2 :]
    count = merge(left) + merge(right)
    for i in range(len(values)):
        if left and right:
            count += 1
            values[i] = (left if left[0] <= right[0] else right).pop(0)
        else:
            values[i] = (left or right).pop(0)
    return count


def main() -> None:
    dice = random.Random(int(os.environ.get("EARWITNESS_SEED", "0")))
    drawn = [dice.random() for _ in range(int(sys.argv[1]))]
    orders = {"random": drawn, "sorted": sorted(drawn)}
    counts = {f.__name__: {name: f(list(values)) for name, values in orders.items()} for f in (insertion, merge)}
    json.dump({"n": len(drawn), "comparisons": counts}, sys.stdout)


if __name__ == "__main__":
    main()
