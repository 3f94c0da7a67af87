"""JSON Schemas of the YAML files, generated from the types, so that editors complete and check while one writes."""

from __future__ import annotations

import json
from pathlib import Path

from evaluators.evidence import Frozen
from grader.quiz.spec import Question, Quiz

SCHEMAS: dict[str, type[Frozen]] = {"quiz.schema.json": Quiz, "question.schema.json": Question}


def schema_texts() -> dict[str, str]:
    """File name -> JSON text of each schema."""
    return {
        name: json.dumps(model.model_json_schema(by_alias=True), indent=1, ensure_ascii=False) + "\n"
        for name, model in SCHEMAS.items()
    }


def stale(folder: Path) -> list[str]:
    """The schema files in `folder` that are missing or differ from the types."""
    return [
        name
        for name, text in schema_texts().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
