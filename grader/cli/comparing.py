"""`earwitness compare`: how good codecs are on somebody's sound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from basics.messages import language_spoken, say, say_error
from grader.cli.common import ABOUT_SOUND, CLUSTER, DONE, UNSETTLED, JsonOption, command, console, print_json

if TYPE_CHECKING:
    from evaluators.comparison.running import Comparison
    from evaluators.comparison.statistics import Summary

DEFAULT = ("pesq_wb", "stoi", "estoi", "si_sdr", "log_mel_distance", "mrstft_distance")
EVERY = 60.0
"""s between lines of progress where nobody watches a terminal."""


def register(app: typer.Typer) -> None:
    about = "Compare codecs at bitrates on your clips: values, intervals, paired differences, a page to hear the worst."
    command(app, help=about, panel=ABOUT_SOUND)(compare)


def compare(
    codecs: Annotated[
        list[str], typer.Argument(help="CODEC, CODEC@BITRATE in kbit/s, or CODEC@nq=N; several after commas.")
    ],
    audio: Annotated[Path, typer.Option("--audio", help="Folder of clips, or a .csv or .parquet with a column file.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the page and the values.")] = Path("comparison"),
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", help="Measure by name; may be repeated. The first orders the worst clips.", show_default=False
        ),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda[:N] or auto.")] = "cpu",
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Worker processes; default: one a core.", show_default=False)
    ] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help=CLUSTER, show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    from evaluators.comparison import running
    from evaluators.comparison.results import write_results, write_summary
    from evaluators.comparison.sources import read_sources
    from evaluators.store import Store
    from grader.report.comparison import write_page

    store = Store()
    store.require_writable()
    sources = read_sources(audio)
    asked = metrics or DEFAULT
    workers = min(running.workers_for(device, jobs), len(sources))
    with running.crew_for(cluster, asked, device, workers) as crew, progress(quiet=as_json) as report:
        opened = running.open_codecs(codecs, device, crew)
        found = running.compare(sources, opened, asked, store, report, crew=crew, device=device)
        written = [write_results(found, out), write_summary(found, out)]
        report(say("writing the page"), 1.0)
        written.append(write_page(found, out, device, crew, language_spoken()))
    if as_json:
        print_json(_data(found, written))
    else:
        _show(found, written)
    raise typer.Exit(UNSETTLED if found.lost else DONE)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """The bar of every command; lines on standard error, one a minute, where nobody watches a terminal."""
    from grader.cli.evidence import progress_bar

    watched = console(stderr=True).is_terminal
    told = time.monotonic()
    with progress_bar(quiet=quiet) as bar:

        def report(step: str, done: float) -> None:
            nonlocal told
            bar(step, done)
            if not quiet and not watched and time.monotonic() - told >= EVERY:
                told = time.monotonic()
                say_error(step)

        yield report


def _show(found: Comparison, written: list[Path]) -> None:
    from rich.table import Table

    out = console()
    table = Table(title=None)
    table.add_column(say("setting"))
    for summary in found.summaries:
        table.add_column(f"{summary.metric} (n = {len(summary.common)})")
    for i, setting in enumerate(found.settings):
        table.add_row(setting.label, *(_cell(summary, i) for summary in found.summaries))
    out.print(table)
    for summary in found.summaries:
        if len(summary.common) < len(found.sources):
            told = say(
                "{metric}: compared over the {common} of {all} clips that have a value at every setting; the page says "
                "why the others have none",
                metric=summary.metric,
                common=len(summary.common),
                all=len(found.sources),
            )
            out.print(told, soft_wrap=True)
    if found.lost:
        told = say(
            "{n} clips have no value because of this machine or a worker; the same command tries them again",
            n=found.lost,
        )
        console(stderr=True).print(told, soft_wrap=True)
    if found.known:
        out.print(say("{known} of {all} clips were measured before.", known=found.known, all=len(found.sources)))
    for path in written:
        out.print(say("wrote {path}", path=path), soft_wrap=True)


def _cell(summary: Summary, setting: int) -> str:
    spread = summary.rows[setting].spread
    if spread.mean is None:
        return say("undefined")
    interval = "" if spread.low is None or spread.high is None else f" [{spread.low:.3g}, {spread.high:.3g}]"
    return f"{spread.mean:.3g}{interval}"


def _data(found: Comparison, written: list[Path]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "clips": len(found.sources),
        "known": found.known,
        "lost": found.lost,
        "settings": [
            {
                "codec": s.codec,
                "codebooks": s.rate.codebooks,
                "bits_per_second": s.rate.bits_per_second,
                "label": s.label,
            }
            for s in found.settings
        ],
        "measures": [
            {
                "metric": summary.metric,
                "compared": len(summary.common),
                "means": [asdict(row) for row in summary.rows],
                "differences": [asdict(apart) for apart in summary.differences],
            }
            for summary in found.summaries
        ],
        "written": [str(path) for path in written],
    }
