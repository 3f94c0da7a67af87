"""All values of a comparison as a table, a row for each clip, setting and measure; and the summary as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from basics.csv_source import write_rows
from basics.files import replacing, writing_text
from basics.messages import say
from evaluators.comparison.running import Comparison
from evaluators.comparison.statistics import Spread

COLUMNS = ("clip", "seconds", "codec", "codebooks", "bits_per_second", "metric", "value", "undefined")
ROWS = 1 << 17  # of Parquet written at a time
SUMMARY = "summary.csv"


def rows(found: Comparison) -> Iterator[tuple[Any, ...]]:
    """Every value, or in the last column the reason why there is none."""
    for i, source in enumerate(found.sources):
        seconds = float(found.seconds[i]) if np.isfinite(found.seconds[i]) else None
        for j, setting in enumerate(found.settings):
            about = (source.name, seconds, setting.codec, setting.rate.codebooks, setting.rate.bits_per_second)
            for metric in found.metrics:
                value = float(found.values[metric][i, j])
                reason = found.reasons.get((i, j, metric))
                yield (*about, metric, None if reason is not None else value, reason)


def write_results(found: Comparison, out: Path) -> Path:
    """results.parquet, or results.csv where pyarrow is not installed; the file that was written."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        path = out / "results.csv"
        with writing_text(path) as file:
            write_rows(file, [COLUMNS], line_end="\n")
            write_rows(file, (["" if cell is None else cell for cell in row] for row in rows(found)), line_end="\n")
        return path
    text, number, whole = pyarrow.string(), pyarrow.float64(), pyarrow.int32()
    kinds = (text, number, text, whole, number, text, number, text)
    schema = pyarrow.schema(list(zip(COLUMNS, kinds, strict=True)))
    path = out / "results.parquet"
    with replacing(path) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for part in _parts(rows(found)):
            columns = zip(*part, strict=True)
            arrays = [pyarrow.array(c, kind) for c, kind in zip(columns, kinds, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    return path


def _parts(every: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    part: list[tuple[Any, ...]] = []
    for row in every:
        part.append(row)
        if len(part) == ROWS:
            yield part
            part = []
    if part:
        yield part


def write_summary(found: Comparison, out: Path) -> Path:
    """summary.csv: means, then differences, each with its interval, or the reason why there is none."""
    labels = [setting.label for setting in found.settings]
    table: list[list[object]] = [
        ["metric", "what", "mean", "low", "high", "clips_compared", "clips_defined", "p", "p_holm", "undefined"]
    ]
    for summary in found.summaries:
        n = len(summary.common)
        for row in summary.rows:
            table.append([summary.metric, labels[row.setting], *_cells(row.spread, n, row.defined, None, None)])
        for apart in summary.differences:
            what = say("{first} minus {second}", first=labels[apart.a], second=labels[apart.b])
            table.append([summary.metric, what, *_cells(apart.spread, n, n, apart.p, apart.holm)])
    path = out / SUMMARY
    with writing_text(path) as file:
        write_rows(file, table, line_end="\n")
    return path


def _cells(spread: Spread, common: int, defined: int, p: float | None, holm: float | None) -> list[object]:
    cells = [spread.mean, spread.low, spread.high, common, defined, p, holm, spread.reason]
    return ["" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else cell for cell in cells]
