"""`earwitness run-models`: ask a cascade and an end-to-end model about the gender of every clip's speaker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grader.cli.common import DONE, UNSETTLED, JsonOption, command, console, print_json

if TYPE_CHECKING:
    from evaluators.speaker_gender.recording import Outcome

MODELS = "Which models"


def register(app: typer.Typer) -> None:
    command(app, "run-models", help="Record the answers of two models, a cascade and an end-to-end one (Q2).")(
        run_models
    )


def run_models(
    audio: Annotated[Path, typer.Option("--audio", help="Folder with the clips (F_1.wav, M_1.wav or a manifest).")],
    out: Annotated[Path, typer.Option("--out", help="Answers file, appended to.")] = Path("responses.jsonl"),
    asr: Annotated[
        str | None, typer.Option("--asr", help="Model A's Whisper.", rich_help_panel=MODELS, show_default=False)
    ] = None,
    llm: Annotated[
        str | None,
        typer.Option("--llm", help="Model A's instruct model.", rich_help_panel=MODELS, show_default=False),
    ] = None,
    audio_llm: Annotated[
        str | None,
        typer.Option("--audio-llm", help="Model B, an audio model.", rich_help_panel=MODELS, show_default=False),
    ] = None,
    only: Annotated[
        Literal["a", "b"] | None,
        typer.Option("--only", help="Run one of the two models.", rich_help_panel=MODELS, show_default=False),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    from evaluators.evidence import Site
    from evaluators.speaker_gender import models, recording
    from evaluators.speaker_gender.transcribe import device as device_of
    from grader.cli.evidence import progress_bar

    clips = recording.clips_in(audio)
    where = device_of(Site(device=device))
    a = (asr or models.ASR, llm or models.LLM)
    b = audio_llm or models.AUDIO_LLM
    plans = [
        recording.Plan("model_a", a, lambda: models.Cascade(*a, where)),
        recording.Plan("model_b", (b,), lambda: models.EndToEnd(b, where)),
    ]
    wanted = [plan for plan in plans if only is None or plan.model == f"model_{only}"]
    with progress_bar(quiet=as_json) as report:
        outcome = recording.record(clips, wanted, out, report)
    if outcome.problems and not outcome.written + outcome.known:
        raise outcome.problems[0]
    _show(outcome, out, as_json)
    raise typer.Exit(UNSETTLED if outcome.problems else DONE)


def _show(outcome: Outcome, out: Path, as_json: bool) -> None:
    problems = [str(problem) for problem in outcome.problems]
    if as_json:
        print_json({"out": str(out), "written": outcome.written, "known": outcome.known, "problems": problems})
        return
    console().print(f"{out}: {outcome.written} answers written, {outcome.known} were there already.", markup=False)
    for problem in problems:
        console(stderr=True).print(problem, style="yellow", markup=False)
    if not problems:
        console().print(f"Next: earwitness evidence q02 --responses {out}", markup=False)
