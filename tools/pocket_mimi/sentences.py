"""Sentences for the pocket codec's corpus: a few written by hand for their sounds, many put together from parts."""

from __future__ import annotations

import random
from collections.abc import Callable

# Parts of generated English sentences: who, did, what, how.
WHO = (
    "the old farmer",
    "my younger sister",
    "a quiet engineer",
    "our new neighbour",
    "the captain",
    "every student",
    "the train conductor",
    "a small brown dog",
    "that clever child",
    "the museum guide",
    "nobody in the office",
    "the tall gardener",
    "his grandmother",
    "two famous painters",
    "the tired pilot",
    "a stranger with a red umbrella",
    "the village doctor",
    "their only cousin",
    "the chess champion",
    "a flock of geese",
)
DID = (
    "carefully repaired",
    "never forgot",
    "quickly sold",
    "happily painted",
    "often described",
    "finally found",
    "quietly watched",
    "almost dropped",
    "bravely crossed",
    "suddenly noticed",
    "patiently explained",
    "secretly copied",
    "proudly showed",
    "gently washed",
    "usually avoids",
    "just measured",
    "will probably enjoy",
    "has already finished",
    "could not open",
    "should have questioned",
)
WHAT = (
    "the broken wooden bridge",
    "a box of fresh oranges",
    "the judge's strange decision",
    "seven heavy blue suitcases",
    "the frozen lake",
    "a very long letter",
    "the smooth leather jacket",
    "an expensive violin",
    "the theory of thermodynamics",
    "three cups of strong coffee",
    "the map of the harbour",
    "a jar of pickled vegetables",
    "the noisy washing machine",
    "an unusual yellow flower",
    "the final chess puzzle",
    "the shadow on the wall",
    "a pair of velvet gloves",
    "the recipe for ginger biscuits",
    "the password of the server",
    "half of the chocolate cake",
)
HOW = (
    "before the storm arrived",
    "in the middle of the night",
    "near the railway station",
    "without saying a word",
    "because the weather was awful",
    "after a short rest",
    "while everybody laughed",
    "at about quarter past five",
    "on the other side of the valley",
    "although it was expensive",
    "with a thin piece of wire",
    "during the summer holidays",
    "for no obvious reason",
    "just as the phone rang",
    "under the huge oak tree",
    "as soon as possible",
    "in front of the judges",
    "throughout the whole month",
    "and then went home",
    "so that we could sleep",
)
# Parts of generated Mandarin sentences: when, who, did, what, comment.
SHI = (
    "昨天晚上",
    "今天早上",
    "上个星期",
    "每年春天",
    "刚才",
    "下雨的时候",
    "吃完饭以后",
    "去年冬天",
    "周末的下午",
    "明天中午",
    "十点半左右",
    "从前",
    "放学以后",
    "国庆节期间",
    "三个月以前",
)
SHEI = (
    "我的老师",
    "他的妹妹",
    "那位医生",
    "邻居家的小孩",
    "我们公司的经理",
    "一个年轻的司机",
    "图书馆的管理员",
    "爷爷和奶奶",
    "那只黑色的猫",
    "学校门口的保安",
    "两个外国朋友",
    "隔壁的王先生",
    "楼下的阿姨",
    "这家饭店的厨师",
    "新来的同学",
)
ZUO = (
    "买了",
    "忘记了",
    "找到了",
    "喜欢",
    "卖掉了",
    "修好了",
    "想要",
    "看见了",
    "借走了",
    "送给我",
    "打碎了",
    "画了",
    "收到了",
    "翻译了",
    "不小心弄丢了",
)
SHENME = (
    "一本很厚的书",
    "两杯热咖啡",
    "三张火车票",
    "一件红色的衣服",
    "新鲜的蔬菜和水果",
    "那台旧电脑",
    "一封很长的信",
    "四把雨伞",
    "许多漂亮的照片",
    "一条蓝色的裙子",
    "五十块钱",
    "自行车的钥匙",
    "一盒巧克力",
    "院子里的花",
    "客厅的玻璃窗",
)
PING = (
    "真让人高兴",
    "可是没有告诉别人",
    "所以大家都很惊讶",
    "因为天气太冷了",
    "然后就回家了",
    "你觉得怎么样",
    "听起来很有意思",
    "这是怎么回事",
    "实在太贵了",
    "但是质量不错",
    "我们都笑了",
    "恐怕来不及了",
    "后来再也没提起",
    "谁也不知道为什么",
    "请你帮个忙吧",
)
WRITTEN_ENGLISH = (
    "How much does this jacket cost, and do you have it in green?",
    "The quick brown fox jumps over the lazy dog.",
    "She sells sea shells by the sea shore every Thursday.",
    "Choose the shortest path through the forest and join us for lunch.",
    "Yes! No. Maybe, but certainly not before Friday.",
    "Why would anyone pay ninety nine dollars for that?",
    "Zero, one, two, three, four, five, six, seven, eight, nine, ten.",
    "The azure ocean and the beige garage looked strange in the fog.",
    "My phone number is five five five, zero one three eight.",
    "Young boys enjoy playing with noisy toys in the yard.",
    "He thought the weather there was rather smooth for January.",
    "What a wonderful surprise, I did not expect you until tomorrow!",
    "The measurement of pleasure is usually a matter of vision.",
    "A loud church bell chimed as the judge changed her mind.",
    "Few people knew the truth about the blue suitcase.",
    "Turn left at the bank, then walk straight ahead for two hundred metres.",
    "The wizard whispered a vague wish over the vast river.",
    "Our hour of power was over when the shower flowed.",
    "Fish, chips, vinegar and mushy peas were on the menu.",
    "Could you possibly pass me that purple paper plate?",
    "Bring back the big black bag by breakfast.",
    "Kate quickly cooked a kilo of crunchy carrots.",
    "Good evening, and welcome to the nine o'clock news.",
    "Rain is expected in the north, with some sunshine later on.",
)
WRITTEN_MANDARIN = (
    "今天天气很好，我们一起去公园散步吧。",
    "中国的首都是北京，上海是最大的城市。",
    "他昨天晚上没有睡好，所以今天很累。",
    "一二三四五六七八九十，百千万亿。",
    "我想买两斤苹果和三斤橘子，一共多少钱？",
    "学习语言需要时间和耐心，不要着急。",
    "这个问题很复杂，让我再想一想。",
    "四是四，十是十，十四是十四，四十是四十。",
    "妈妈骑马，马慢，妈妈骂马。",
    "手机没电了，能不能借我充电器用一下？",
    "祝你生日快乐，身体健康，万事如意！",
    "吃葡萄不吐葡萄皮，不吃葡萄倒吐葡萄皮。",
    "医生说你应该多喝水，早点休息。",
    "月亮很圆，星星很亮，夜晚安静极了。",
    "请您稍等，我马上给您倒一杯茶。",
)

# Written apart from every list above; spoken in tests only.
HELD_OUT_ENGLISH = (
    "Please close the window, it is getting cold in here.",
    "I think both of them brought their own shovels.",
    "Check the pressure gauge, then push the big yellow button twice.",
    "Boil the rice for twelve minutes and add a pinch of salt.",
    "We hope that you will have a pleasant flight to Copenhagen.",
    "Thirty thirsty thieves thundered through the thicket.",
    "A gentle breeze moved the curtains of the empty hotel room.",
    "Fifteen students signed up for the lecture about ancient ships.",
    "Mix the flour with two eggs, then leave the dough to rest.",
    "I cannot remember where I parked the yellow van.",
)
HELD_OUT_MANDARIN = (
    "你好，请问去火车站怎么走？",
    "请把窗户关上，外面太吵了。",
    "春天来了，花园里的花都开了。",
    "飞机将于下午三点二十分起飞，请旅客们准备登机。",
    "儿子去年考上了大学，全家人都非常骄傲。",
    "微风轻轻吹动了空房间里的窗帘。",
    "有十五个学生报名参加了古代船只的讲座。",
    "先把面粉和两个鸡蛋搅拌均匀，再放一会儿。",
    "我想不起来把黄色的面包车停在哪里了。",
)


def english(count: int, draw: random.Random) -> list[str]:
    """`count` training sentences: every written one twice, the rest generated, no generated one twice."""
    return _fill(count, WRITTEN_ENGLISH, lambda: " ".join(map(draw.choice, (WHO, DID, WHAT, HOW))).capitalize() + ".")


def mandarin(count: int, draw: random.Random) -> list[str]:
    """The same for Mandarin."""

    def generate() -> str:
        when, who, did, what, comment = map(draw.choice, (SHI, SHEI, ZUO, SHENME, PING))
        return f"{when}，{who}{did}{what}，{comment}。"

    return _fill(count, WRITTEN_MANDARIN, generate)


def _fill(count: int, written: tuple[str, ...], generate: Callable[[], str]) -> list[str]:
    generated: dict[str, None] = {}  # a dict, not a set: insertion order is the same in every run
    while len(generated) < count - 2 * len(written):
        generated[generate()] = None
    return [*written, *written, *generated][:count]
