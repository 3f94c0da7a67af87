"""What the demonstration clips say, and who says it. The pocket codec's corpus has none of it."""

from __future__ import annotations

from typing import Literal

from tools.clips.voices import Prosody, Voice

SLT = Voice("slt", "flite", "slt", "en", "female")
AWB = Voice("awb", "flite", "awb", "en", "male")
FAY = Voice("fay", "espeak-ng", "en-us+f2", "en", "female")
MAX = Voice("max", "espeak-ng", "en-us+m3", "en", "male")
MEI = Voice("mei", "espeak-ng", "cmn+f2", "zh", "female")
LAN = Voice("lan", "espeak-ng", "cmn+f3", "zh", "female")
BAO = Voice("bao", "espeak-ng", "cmn", "zh", "male")
JUN = Voice("jun", "espeak-ng", "cmn+m3", "zh", "male")

ENGLISH_VOICES = (SLT, AWB, FAY, MAX)
MANDARIN_VOICES = (MEI, BAO, LAN, JUN)

ENGLISH = (
    "A neural codec turns speech into a short list of tokens and back again.",
    "The ferry to the island leaves every hour, except on public holidays.",
    "My aunt grows tomatoes, basil and peppers behind the old school.",
    "Nobody knew which of the three keys would open the cellar door.",
)
MANDARIN = (
    "语音编码器把声音变成一串数字，再变回声音。",
    "去小岛的船每个小时一班，节假日除外。",
    "我姑姑在老学校后面种了番茄和辣椒。",
    "没有人知道哪一把钥匙能打开那扇门。",
)
ANY_SPEAKER = "The meeting was moved to Tuesday, so please bring your notes with you."
PARALLEL = (
    "The lamp is on the desk.",
    "Please wait by the gate.",
    "We met her in the spring.",
    "They walked to the beach.",
    "His brother plays chess.",
    "Open the box with care.",
    "The soup is still too hot.",
    "Ten birds flew over us.",
    "I would like some water.",
    "Her coat is dark green.",
    "The train was very late.",
    "Try the second answer.",
)
STYLED = (
    "I left it on the kitchen table.",
    "You know the way to the town.",
    "That was not the plan at all.",
    "We should all go home by now.",
    "Nobody told me about the noise.",
    "The whole room is yours for today.",
    "Here come the others at last.",
    "She made the same cake once again.",
)

Style = Literal["Neutral", "Amused", "Angry", "Disgusted", "Sleepy"]
STYLES: dict[Style, Prosody] = {
    "Neutral": Prosody(),
    "Amused": Prosody(pitch=1.35, rate=1.12, span=1.8, level=-21),
    "Angry": Prosody(pitch=1.15, rate=1.3, span=1.5, level=-15),
    "Disgusted": Prosody(pitch=0.8, rate=0.85, span=0.7, gap=3, level=-22),
    "Sleepy": Prosody(pitch=0.72, rate=0.68, span=0.3, gap=6, level=-28),
}
