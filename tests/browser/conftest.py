"""A small quiz whose evidence the real evaluators gather on built-in sound, its report, and a headless Chromium."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from evaluators.evidence import Site, Source
from evaluators.store import Store
from grader.demo import write_sample_class
from grader.marking.class_run import grade_file
from grader.marking.grading import Grades
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from grader.quiz.words import Language
from grader.report import Edition, write_report
from grader.submissions.reading import read_submissions
from grader.verdicts.key import AnswerKey
from grader.verdicts.testimony import Gatherer, key_from
from grader.verdicts.testimony import Testimony as QuestionEvidence
from tests.checkpoints import random_checkpoint
from tests.conftest import REPOSITORY, need_program

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
collect_ignore = ["quiz"]  # data of these tests, not a quiz to be tested
EMOTIONS = ("Angry", "Neutral", "Sleepy")
ANSWERS = (
    ("model_a", "F_1", "I am a text-based AI, so I cannot tell the gender of the speaker."),
    ("model_a", "M_1", "As a text-based model I only see the transcript and cannot tell."),
    ("model_b", "F_1", "The speaker is female: the pitch of the voice is high."),
    ("model_b", "M_1", "The speaker is male, judging by the low pitch of the voice."),
)
Open = Callable[..., webdriver.Chrome]


@dataclass(frozen=True)
class Showcase:
    """The small quiz with all that its reports are made from."""

    book: QuizBook
    testimonies: list[QuestionEvidence]
    key: AnswerKey
    store: Store
    corpus: Path
    grades: Grades

    def write(self, out: Path, edition: Edition = "ta", language: Language = "en", **options: Any) -> Path:
        return write_report(
            self.book,
            self.testimonies,
            self.key,
            out=out,
            edition=edition,
            language=language,
            store=self.store,
            corpus=self.corpus,
            **options,
        )


@pytest.fixture(scope="session")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Showcase:
    """Evidence through a small codec with random weights, hence all of it demonstration evidence."""
    folder = tmp_path_factory.mktemp("showcase")
    book, store = load_quiz(REPOSITORY / "tests/browser/quiz"), Store(folder / "store")
    site = Site(
        audio=REPOSITORY / "audio/clips",
        corpus=small_corpus(folder / "corpus"),
        responses=recorded_answers(folder / "answers.jsonl"),
        codec=str(random_checkpoint(folder / "checkpoint")),
        device="cpu",
        jobs=1,
        cache=store.root,
    )
    accept: tuple[Source, ...] = (*book.quiz.accept, "demonstration")
    heard = Gatherer(book, accept, site, store, "auto")
    heard.results([q for q in book.questions if q.id != "models"], site.progress)
    # Without voices only the recorded answers are read: a recogniser would take minutes.
    silent = replace(heard, site=Site(responses=site.responses, cache=store.root))
    silent.results([book.question("models")], site.progress)
    gatherer = replace(heard, mode="cached")
    testimonies = [gatherer.testimony(question) for question in book.questions]
    key = key_from(book, testimonies, accept)
    students = read_submissions(write_sample_class(book, key, folder / "class.csv"), book)
    grades = grade_file(students, book, key).grades
    return Showcase(book, testimonies, key, store, folder / "corpus", grades)


def small_corpus(folder: Path) -> Path:
    """Three clips of three emotions by two of the built-in voices."""
    folder.mkdir()
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "speaker"])
        for source in sorted((REPOSITORY / "audio/clips/styles").glob("*/*_000[123].flac")):
            speaker, emotion = source.parent.name.split("_")
            if emotion in EMOTIONS and speaker in ("awb", "slt"):
                (folder / f"{speaker}_{source.name}").symlink_to(source)
                writer.writerow([f"{speaker}_{source.name}", emotion, speaker])
    return folder


def recorded_answers(path: Path) -> Path:
    rows = [{"model": model, "clip": clip, "response": text, "models": ["tiny"]} for model, clip, text in ANSWERS]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture(scope="session")
def pages(showcase: Showcase, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three editions, in both languages."""
    folder = tmp_path_factory.mktemp("pages")
    return {
        "ta": showcase.write(folder / "ta.html", grades=showcase.grades),
        "student": showcase.write(folder / "student.html", "student", "zh-TW"),
        "before": showcase.write(folder / "before.html", "before"),
        "sheet": showcase.write(folder / "sheet.html", "before", "zh-TW"),
    }


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def chromium(downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = need_program("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    driver = webdriver.Chrome(options, Service(need_program("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def visit(chromium: webdriver.Chrome) -> Open:
    """Opens a page at a width in CSS pixels, in light or dark, with empty logs."""

    def go(page: Path, width: int = 1440, scheme: str = "light") -> webdriver.Chrome:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        chromium.get("about:blank")
        for log in ("browser", "performance"):
            chromium.get_log(log)
        chromium.get(page.as_uri())
        return chromium

    return go


def requests(driver: webdriver.Chrome) -> list[str]:
    """Every address that the browser asked for since the page was opened."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core: installed beside the tests, or where $EARWITNESS_AXE says."""
    beside = REPOSITORY / "tests/browser/node_modules/axe-core/axe.min.js"
    path = Path(os.environ.get("EARWITNESS_AXE", beside))
    if not path.is_file():
        pytest.skip("needs axe-core (`npm install` in tests/browser)")
    return path.read_text(encoding="utf-8")
