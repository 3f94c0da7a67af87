"""The words for EmoV-DB's five emotions, for names of files and folders and for cells of manifests alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

EMOTIONS = ("Amused", "Angry", "Disgusted", "Neutral", "Sleepy")
"""As the names of EmoV-DB's archives have them."""

_WORDS = {  # English, its codes in other corpora, French, German, Spanish, Italian, Portuguese, Dutch, Polish, Turkish,
    # Russian, Chinese, Japanese, Korean
    "Amused": """
        amused amuse amusement amusing amu / amusé amusée / amüsiert belustigt belustigung amüsement / divertido
        divertida diversión / divertito divertita divertimento / divertimento diversão / geamuseerd / rozbawiony
        rozbawiona rozbawienie / eğlenmiş eğlence / весёлый веселье развлечение / 愉快 愉悅 愉悦 開心 开心 好笑
        逗樂 逗乐 覺得好笑 觉得好笑 被逗樂 被逗乐 / 楽しい 愉快な 面白い おかしい / 즐거움 즐거운 재미
    """,
    "Angry": """
        angry anger angered ang / colère fâché fâchée / wütend wut ärger ärgerlich zornig / enojado enojada
        enfadado enfadada enojo enfado ira / arrabbiato arrabbiata rabbia / zangado zangada raiva / boos woede /
        zły zła złość gniew / kızgın öfke öfkeli / злой гнев злость / 生氣 生气 憤怒 愤怒 惱怒 恼怒 / 怒り 怒る
        怒った / 분노 화남 화난
    """,
    "Disgusted": """
        disgusted disgust disgusting dis / dégoûté dégoûtée dégoût / angeekelt ekel angewidert / disgustado
        asqueado asqueada asco disgusto / disgustato disgustata / nojo repugnância / walging walgend /
        obrzydzenie wstręt / tiksinmiş tiksinti iğrenme / отвращение / 厭惡 厌恶 噁心 恶心 反感 / 嫌悪 / 혐오
        역겨움
    """,
    "Neutral": """
        neutral neutrality neu / neutre neutralité / neutrale neutralität / neutro neutra neutralidad neutralità
        / neutralidade / neutraal / neutralny neutralna neutralne / nötr tarafsız / нейтральный нейтрально
        нейтральная / 中性 中立 平靜 平静 / 中立的 普通 ニュートラル / 중립 중성 평온
    """,
    "Sleepy": """
        sleepy sleepiness sleeping slp sle / somnolent somnolente somnolence endormi endormie / schläfrig
        schläfrigkeit müde / somnoliento somnolienta somnolencia adormilado sueño / assonnato assonnata
        sonnolenza / sonolento sonolenta sonolência / slaperig slaperigheid / senny senna senność / uykulu uyku /
        сонный сонливость / 睏倦 困倦 想睡 愛睏 瞌睡 昏昏欲睡 疲倦 / 眠い 眠気 眠そう / 졸림 졸린 졸음
    """,
}
SAID_OF_FILES = {"bits", "bit", "wav", "flac", "mp3", "ogg", "khz", "emotion", "style"}
"""Words of a label that are not about the emotion."""

Words = Mapping[str, str]
"""By word, normalized: the emotion that it names."""


def normalized(text: str) -> str:
    """A label as it is compared: lower case, without accents, words of letters parted by single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[^\W\d_]+", "".join(c for c in plain if not unicodedata.combining(c))))


def words_for(others: Iterable[str] = ()) -> Words:
    """The words of the five emotions, and the names of `others` that a question asks for."""
    return {**{word: other for other in others if (word := normalized(other)) not in WORDS}, **WORDS}


def emotion_named(label: str, words: Words) -> str | None:
    """The emotion that a label names: nothing else may stand in it but digits and what is said of files."""
    text = normalized(label)
    if text in words:
        return words[text]
    named = {words.get(word) for word in text.split() if word not in SAID_OF_FILES}
    return named.pop() if len(named) == 1 else None


WORDS: Words = {
    normalized(word): emotion for emotion, listed in _WORDS.items() for word in listed.split() if word != "/"
}
