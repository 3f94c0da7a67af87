"""`earwitness store`: the store of results, how much lies in it, whether it is sound, and taking away what is old."""

from __future__ import annotations

from typing import Annotated

import typer

from basics.messages import say
from grader.cli.common import DONE, FAILED, JsonOption, command, console, print_json


def register(app: typer.Typer) -> None:
    store = typer.Typer(no_args_is_help=True, help="Look after the store of results (EARWITNESS_CACHE).")
    command(store, help="How many entries of each kind there are, and how large they are.")(size)
    command(store, help="Check every entry against its digests; damaged ones are set aside. Exit code 1 if any is.")(
        verify
    )
    command(store, help="Take away what is old and can be measured again; evidence and what it names stays.")(prune)
    app.add_typer(store, name="store")


def size(as_json: JsonOption = False) -> None:
    from evaluators.store import Store
    from evaluators.upkeep import areas

    store = Store()
    found = areas(store)
    if as_json:
        told = {area.name: {"files": area.files, "bytes": area.size} for area in found}
        print_json({"store": str(store.root), "areas": told})
        return
    console().print(str(store.root), soft_wrap=True)
    for area in found:
        line = say("  {area}: {files:,} files, {size:,.1f} MB", area=area.name, files=area.files, size=area.size / 1e6)
        console().print(line)


def verify(as_json: JsonOption = False) -> None:
    from evaluators.store import Store
    from evaluators.upkeep import damaged

    found = [str(path) for path in damaged(Store())]
    if as_json:
        print_json({"damaged": found})
    else:
        for path in found:
            console().print(say("damaged: {path}", path=path), soft_wrap=True)
        console().print(say("{n} damaged", n=len(found)) if found else say("All entries are what was kept."))
    raise typer.Exit(FAILED if found else DONE)


def prune(
    older_than: Annotated[float, typer.Option("--older-than", min=0, help="Days since it was written.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: JsonOption = False,
) -> None:
    from evaluators.store import Store
    from evaluators.upkeep import outdated

    store = Store()
    if not dry_run:
        store.require_writable()
    files = freed = 0
    for path in outdated(store, older_than):
        freed += path.lstat().st_size
        files += 1
        if not dry_run:
            path.unlink(missing_ok=True)
    if as_json:
        print_json({"files": files, "bytes": freed, "dry_run": dry_run})
    else:
        told = say("would take away {files:,} files, {size:,.1f} MB", files=files, size=freed / 1e6)
        if not dry_run:
            told = say("took away {files:,} files, {size:,.1f} MB", files=files, size=freed / 1e6)
        console().print(told)
