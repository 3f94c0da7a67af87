"""The report as people use it: in a real browser, from a file, with nothing but the file."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from basics.errors import InputError
from grader.quiz.claims import comparisons, in_words, names_of
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.quiz.words import LANGUAGES, words
from grader.report import write_sheet
from tests.browser.conftest import Open, Showcase, requests

EDITIONS = ("ta", "student", "before")


def one(root: webdriver.Chrome | WebElement, selector: str) -> WebElement:
    return root.find_element(By.CSS_SELECTOR, selector)


def wait(driver: webdriver.Chrome, condition: Callable[[webdriver.Chrome], Any]) -> None:
    WebDriverWait(driver, 10, poll_frequency=0.05).until(condition)


def bring(driver: webdriver.Chrome, element: WebElement) -> WebElement:
    driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    return element


def errors(driver: webdriver.Chrome) -> list[str]:
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.mark.parametrize("edition", EDITIONS)
def test_opens_from_a_file_and_asks_nobody_for_anything(edition: str, pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages[edition])
    for button in driver.find_elements(By.CSS_SELECTOR, "[data-play], .point")[:3]:
        bring(driver, button).click()
    asked = [url for url in requests(driver) if not url.startswith(("data:", "blob:"))]
    assert asked == [pages[edition].as_uri()]
    assert errors(driver) == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
@pytest.mark.parametrize("edition", [*EDITIONS, "sheet"])
def test_fits_the_screen_and_a_checker_finds_no_barrier_at_all(
    edition: str, width: int, scheme: str, pages: dict[str, Path], visit: Open, axe: str
) -> None:
    driver = visit(pages[edition], width, scheme)
    driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    driver.execute_script(axe)
    found = driver.execute_async_script("axe.run(document).then(arguments[0])")
    assert len(found["passes"]) > 10
    assert [(barrier["id"], barrier["nodes"][0]["html"][:200]) for barrier in found["violations"]] == []


def test_a_filter_leaves_what_is_asked_for_and_a_link_ends_it(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["ta"])

    def shown() -> list[str]:
        return [a.get_attribute("id") or "" for a in driver.find_elements(By.TAG_NAME, "article") if a.is_displayed()]

    everything = shown()
    choice = one(driver, "[data-filter]")
    for option in choice.find_elements(By.TAG_NAME, "option"):
        if option.get_attribute("value") == "listening":
            option.click()
    assert shown() == ["listening"]
    bring(driver, one(driver, "a.chip[href='#facts-A']")).click()
    wait(driver, lambda _: shown() == everything)


def test_plays_a_sound_and_switches_between_original_and_reconstruction(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["ta"])
    driver.execute_script(
        "window.starts = []; const start = AudioBufferSourceNode.prototype.start;"
        "AudioBufferSourceNode.prototype.start = function (...at) { starts.push(at); return start.apply(this, at); }"
    )
    player = one(driver, "[data-player]")
    original, reconstruction = player.find_elements(By.CSS_SELECTOR, "[data-side]")
    bring(driver, one(player, "[data-play]")).click()
    wait(driver, lambda _: position(player) > 0.2)
    before = position(player)
    starts = driver.execute_script("return window.starts")
    assert len(starts) == 2, "both versions"
    assert starts[0] == starts[1], "start at the same moment of one clock, from the same place"
    one(player, "[data-play]").send_keys("x")
    assert [side.get_attribute("aria-pressed") for side in (original, reconstruction)] == ["false", "true"]
    wait(driver, lambda _: position(player) > before + 0.2)
    original.click()
    assert original.get_attribute("aria-pressed") == "true"
    one(player, "[data-seek]").send_keys(Keys.SPACE)
    wait(driver, lambda _: "playing" not in (player.get_attribute("class") or "").split())
    at = position(player)
    one(player, "[data-play]").send_keys(Keys.ARROW_LEFT)
    assert position(player) == pytest.approx(max(0, at - 1), abs=0.02)


def position(player: WebElement) -> float:
    return float(one(player, "[data-seek]").get_property("value"))  # type: ignore[arg-type]


def test_only_one_player_sounds_at_a_time(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["ta"])
    for button in driver.find_elements(By.CSS_SELECTOR, "[data-play]")[:2]:
        bring(driver, button).click()
    assert len(driver.find_elements(By.CSS_SELECTOR, ".player.playing")) == 1


def test_a_point_of_a_map_plays_its_clip_and_names_its_file(
    pages: dict[str, Path], visit: Open, showcase: Showcase
) -> None:
    driver = visit(pages["ta"])
    panel = one(driver, "[data-panel]")
    points = panel.find_elements(By.CSS_SELECTOR, ".point")
    assert len(points) == 18
    driver.execute_script(
        "window.heard = []; const play = Audio.prototype.play;"
        "Audio.prototype.play = function () { window.heard.push(this); return play.call(this); }"
    )
    bring(driver, points[4]).click()
    named = one(driver, "[data-now]").text
    assert (showcase.corpus / named.removeprefix("▶ ").split(" · ")[0]).is_file()
    wait(driver, lambda d: d.execute_script("return heard.at(-1).currentTime > 0.1"))
    chosen = driver.find_elements(By.CSS_SELECTOR, ".point.chosen")
    assert len({point.get_attribute("data-spot") for point in chosen}) == 1
    assert len(chosen) == len(driver.find_elements(By.CSS_SELECTOR, "[data-panel]"))


def test_a_map_is_walked_by_keyboard_with_one_stop_for_each_panel(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["ta"])
    panel = one(driver, "[data-panel]")
    assert len(panel.find_elements(By.CSS_SELECTOR, "[tabindex='0']")) == 1
    start = one(panel, "[tabindex='0']")
    bring(driver, start)
    driver.execute_script("arguments[0].focus()", start)
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_DOWN, Keys.ARROW_UP):
        ActionChains(driver).send_keys(key).perform()
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    focused = driver.switch_to.active_element
    assert focused.get_attribute("data-name") in one(driver, "[data-now]").text


def test_a_link_to_an_option_opens_its_card(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["ta"])
    bring(driver, one(driver, "a.chip[href='#listening-A']")).click()
    wait(driver, lambda d: one(d, "#listening-A").get_attribute("open"))
    card = one(driver, "#listening-A").text
    for expected in ("log_mel_distance.english_minus_music ≥ 0 (margin 0.5)", "half a decibel", "--evidence=refresh"):
        assert expected in card
    drawing = one(driver, "#listening-A svg.line").get_attribute("aria-label")
    assert drawing is not None
    assert "log_mel_distance.english_minus_music = " in drawing


def test_everything_that_rests_on_demonstration_evidence_says_so(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["ta"])
    assert "Demonstration" in one(driver, ".demo-banner").text
    for selector in (".player", "figure.plots:not(#class figure)", "figure.maps", "figure.shares"):
        shown = driver.find_elements(By.CSS_SELECTOR, selector)
        assert shown, selector
        assert all("Demonstration" in figure.text for figure in shown), selector
    assert "demo" in (one(driver, "#listening-A").get_attribute("class") or "")
    assert "demo" not in (one(driver, "#facts-A").get_attribute("class") or "")


def test_texts_of_a_quiz_cannot_run_as_code(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["ta"])
    assert driver.title != "escaped"
    assert "<script>document.title" in one(driver, "#facts-A").text


def test_sounds_may_lie_beside_the_page(showcase: Showcase, tmp_path: Path, visit: Open) -> None:
    page = showcase.write(tmp_path / "page.html", audio="beside")
    assert b"base64,ZkxhQ" not in page.read_bytes()
    assert {path.suffix for path in (tmp_path / "page_audio").iterdir()} == {".flac", ".mp3"}
    driver = visit(page)
    player = one(driver, "[data-player]")
    bring(driver, one(player, "[data-play]")).click()
    wait(driver, lambda _: position(player) > 0.2)


def test_the_class_is_in_the_teaching_staffs_edition_alone(
    pages: dict[str, Path], showcase: Showcase, visit: Open, tmp_path: Path
) -> None:
    driver = visit(pages["ta"])
    assert f"{len(showcase.grades.records)} students" in one(driver, "#class").text
    for edition in ("student", "before"):
        assert b'id="class"' not in pages[edition].read_bytes()
        with pytest.raises(InputError, match="cannot be shown"):
            showcase.write(tmp_path / "x.html", edition, grades=showcase.grades)  # type: ignore[arg-type]
    for page in pages.values():
        content = page.read_text(encoding="utf-8")
        assert not [r for r in showcase.grades.records if r.student_id in content or (r.name and r.name in content)]


@pytest.mark.parametrize("edition", ["student", "before"])
def test_the_command_refuses_grades_for_students(
    edition: str, tmp_path: Path, earwitness: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    refused = earwitness("report", f"--edition={edition}", "--grades", tmp_path, "--out", tmp_path / "page.html")
    assert refused.returncode == 2
    assert f"cannot be shown in the edition {edition}" in refused.stderr
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_before_the_deadline_holds_no_claim_no_evidence_and_no_key(language: Any, tmp_path: Path) -> None:
    book = load_quiz(BUILT_IN_QUIZ)
    page = write_sheet(book, out=tmp_path / "sheet.html", language=language)
    readable = "\n".join(layers(page.read_text(encoding="utf-8")))
    public = " ".join(text for question in book.questions for text in set_by_the_course(question))
    secrets = {word for question in book.questions for word in confidential(question)} | set(book.quiz.defects)
    secrets = {secret for secret in secrets if secret not in public}
    assert len(secrets) > 200
    assert sorted(secret for secret in secrets if secret in readable) == []
    verdicts = {words("report", lang)[name] for name in ("supported", "refuted", "inconclusive") for lang in LANGUAGES}
    assert sorted(word for word in verdicts if word in readable) == []
    assert all(option.text.split()[0] in readable for q in book.questions for option in q.options.values())


def confidential(question: Any) -> Iterator[str]:
    """What a student must not see of a question: claims, names of measurements, notes, requests for evidence."""
    yield from (note for note in (question.note, question.choose_note, question.points_note) if note)
    for request in question.evidence:
        yield request.evaluator
    for option in question.options.values():
        yield in_words(option.claim)
        yield from filter(None, [option.note])
        for comparison in comparisons(option.claim):
            yield in_words(comparison)
            yield from names_of(comparison)
            yield from filter(None, [comparison.why])


def set_by_the_course(question: Any) -> Iterator[str]:
    yield question.prompt
    yield from (option.text for option in question.options.values())
    yield from (reference.title for reference in question.references)


def layers(text: str) -> Iterator[str]:
    """The page, its entities resolved, and whatever base64 it holds."""
    from html import unescape

    yield text
    yield unescape(text)
    yield unescape(text.replace("<wbr>", ""))
    for blob in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", text):
        yield base64.b64decode(blob + "=" * (-len(blob) % 4), validate=False).decode("latin-1")


def test_the_sheets_form_saves_answers_that_check_accepts(
    tmp_path: Path, visit: Open, downloads: Path, earwitness: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    written = earwitness("report", "--edition=before", "--out", tmp_path / "sheet.html")
    assert written.returncode == 0, written.stderr
    driver = visit(tmp_path / "sheet.html", 390)
    questions = driver.find_elements(By.CSS_SELECTOR, "[data-question]")
    save = one(driver, "button[type=submit]")
    for question in questions[:-1]:
        bring(driver, question.find_elements(By.CSS_SELECTOR, "label")[1]).click()
    bring(driver, save).click()
    assert "q12" in one(driver, "#state").text
    assert not (downloads / "answers.yaml").exists()
    for label in questions[-1].find_elements(By.CSS_SELECTOR, "label")[:2]:
        bring(driver, label).click()
    one(driver, "#student").send_keys('b12 "quoted": #1')
    driver.refresh()
    wait(driver, lambda _: one(driver, "#state").text == words("report", "en")["state_done"])
    bring(driver, one(driver, "button[type=submit]")).click()
    wait(driver, lambda _: (downloads / "answers.yaml").exists())
    saved = yaml.safe_load((downloads / "answers.yaml").read_text(encoding="utf-8"))
    assert saved["student_id"] == 'b12 "quoted": #1'
    assert saved["answers"] == {f"q{i:02}": ["B"] for i in range(1, 12)} | {"q12": ["A", "B"]}
    checked = earwitness("check", downloads / "answers.yaml", "--json")
    assert checked.returncode in (0, 3), checked.stderr
    assert '"ticked": [\n        "B"\n      ]' in checked.stdout


def test_what_was_typed_is_there_whenever_a_page_is_loaded_again(pages: dict[str, Path], visit: Open) -> None:
    driver = visit(pages["before"])
    for student in ("b01", "b02", "b03", "b04", "b05", "b06", "b07", "b08", "b09", "b10"):
        one(driver, "#student").clear()
        one(driver, "#student").send_keys(student)
        driver.refresh()
        wait(driver, lambda _, kept=student: one(driver, "#student").get_attribute("value") == kept)
    assert not one(driver, "#unkept").is_displayed()


def test_a_browser_that_keeps_nothing_says_so_and_saves_the_file(
    pages: dict[str, Path], tmp_path: Path, visit: Open, downloads: Path
) -> None:
    """An LMS shows files in a sandbox, which is refused every storage."""
    (tmp_path / "sheet.html").write_bytes(pages["before"].read_bytes())
    frame = '<iframe sandbox="allow-scripts allow-forms allow-downloads" src="sheet.html" width="900" height="800">'
    (tmp_path / "lms.html").write_text(frame, encoding="utf-8")
    driver = visit(tmp_path / "lms.html")
    driver.switch_to.frame(0)
    for question in driver.find_elements(By.CSS_SELECTOR, "[data-question]"):
        bring(driver, one(question, "label")).click()
    assert one(driver, "#unkept").is_displayed()
    before = set(downloads.iterdir())
    bring(driver, one(driver, "button[type=submit]")).click()
    wait(driver, lambda _: [new for new in set(downloads.iterdir()) - before if new.suffix == ".yaml"])
    assert one(driver, "#state").text == words("report", "en")["state_saved"]


def test_the_command_writes_all_editions(
    showcase: Showcase, tmp_path: Path, earwitness: Callable[..., subprocess.CompletedProcess[str]], repository: Path
) -> None:
    import os

    environment = os.environ | {"EARWITNESS_CACHE": str(showcase.store.root)}
    quiz = repository / "tests/browser/quiz"
    done = earwitness(
        "report", "--out", tmp_path / "zh.html", "--language=zh-TW", "--quiz", quiz, "--accept=demonstration",
        "--corpus", showcase.corpus, env=environment,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    page = (tmp_path / "zh.html").read_text(encoding="utf-8")
    assert '<html lang="zh-TW">' in page
    assert "答案一覽" in page
    assert page.count("data-player") >= 2


def test_no_word_of_the_interface_is_hidden_by_a_method_of_dict_in_the_templates() -> None:
    assert [key for key in words("report", "en") if hasattr(dict, key)] == []
