"""Makes Chinese N-best lists whose errors are homophones, and a pinyin lexicon for `rescorer robustness`.

Sentences are filled templates of our own. The first pass is a noisy listener: at some places it also hears another word of two
characters, or another character, of the same syllables (with the same tones or others), each with an acoustic score, and gives the
ten texts of the largest sums. It knows no language, so its errors are those that a language model can mend. Words come from the
dictionary of pypinyin (MIT), characters from GB 2312. Everything is drawn from the seed.

    pip install pypinyin==0.55.0
    python make_lists.py --output data
"""

import argparse
import collections
import heapq
import itertools
import json
import pathlib
import random

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

WHO = ["我", "他", "她", "我们", "他们", "妈妈", "爸爸", "老师", "经理", "王医生", "李小姐", "同事", "邻居", "张先生"]
WHEN = ["今天", "明天", "昨天", "后天", "今天下午", "明天早上", "昨天晚上", "这个周末", "下个星期", "上个月", "中午", "刚才"]
CLOCK = ["一点", "两点", "三点", "四点半", "五点", "六点半", "七点", "八点", "九点一刻", "十点", "十一点", "十二点"]
WHERE = ["北京", "上海", "广州", "深圳", "学校", "公司", "医院", "机场", "火车站", "图书馆", "超市", "公园", "银行", "邮局", "饭店"]
FOOD = ["米饭", "面条", "饺子", "苹果", "牛奶", "咖啡", "绿茶", "鸡蛋", "面包", "西瓜", "鱼", "蔬菜"]
THING = ["手机", "电脑", "钥匙", "雨伞", "护照", "书包", "眼镜", "照片", "文件", "衣服", "自行车", "词典", "机票", "行李"]
DEVICE = ["空调", "电视", "灯", "窗户", "门", "音乐", "暖气", "洗衣机", "风扇", "窗帘"]
DOES = ["开会", "上课", "看电影", "打篮球", "游泳", "跑步", "买东西", "见朋友", "学习汉语", "看医生", "吃晚饭", "喝咖啡", "听音乐会"]
HOW = ["坐地铁", "开车", "坐飞机", "骑自行车", "坐火车", "走路", "坐出租车", "坐公共汽车"]
WEATHER = ["下雨", "下雪", "刮风", "很冷", "很热", "晴天", "阴天", "有雾"]
STATE = ["很高兴", "有点累", "非常忙", "身体不舒服", "很满意", "有点担心", "已经准备好了", "没有时间"]

SLOTS = {
    "who": WHO, "other": WHO, "when": WHEN, "clock": CLOCK, "where": WHERE, "to": WHERE, "food": FOOD, "drink": FOOD,
    "thing": THING, "device": DEVICE, "does": DOES, "then": DOES, "how": HOW, "weather": WEATHER, "state": STATE,
}

TEMPLATES = """
{who}{when}{clock}要去{where}{does}
{when}{who}和{other}一起{does}
请把{device}打开
请把{device}关上
{who}想买一个新的{thing}
{who}的{thing}忘在{where}了
从{where}到{to}{how}要多长时间
{who}{when}{how}去{where}
{when}{where}的天气怎么样
听说{where}{when}会{weather}
因为{when}{weather}所以{who}没有去{does}
{who}觉得{state}所以不想{does}
你知道{where}在什么地方吗
{who}每天{clock}起床然后{does}
{who}{when}吃了{food}还喝了{drink}
这家{where}的{food}又便宜又好吃
请问去{where}的车几点出发
{who}{when}在{where}等{other}
麻烦你帮{who}找一下{thing}
{who}打算{when}从{where}搬到{to}
提醒我{when}{clock}给{who}打电话
{clock}的会议改到了{when}
{who}已经到{where}了可是{other}还没有来
{who}一边{does}一边想着{when}的考试
如果{when}{weather}我们就不去{where}了
{who}说{other}{when}{state}
把{thing}放在桌子上面不要动
{who}找了半天也没找到自己的{thing}
虽然{who}{state}但是还要去{does}
{who}最喜欢的事情是{does}和{then}
设置一个{clock}的闹钟
导航到最近的{where}
""".split()

# Shares of the words with homophones, and of the characters outside of such words, that are heard in more than one way.
AMBIGUOUS_WORDS, AMBIGUOUS_CHARACTERS = 0.7, 0.3
# How much worse what else is heard sounds on average, with the same tones and with others, and how much that varies, in nats.
SAME_TONE, OTHER_TONE, SPREAD = -0.3, -1.2, 1.5
HYPOTHESES = 10


def common_characters():
    """The 3,755 characters of the first level of GB 2312."""
    for high, low in itertools.product(range(0xB0, 0xD8), range(0xA1, 0xFF)):
        try:
            yield bytes([high, low]).decode("gb2312")
        except UnicodeDecodeError:
            pass


def readings(text):
    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)


def toneless(syllables):
    return tuple(syllable[:-1] for syllable in syllables)


class Homophones:
    def __init__(self):
        self.reading = {character: readings(character)[0] for character in common_characters()}
        words = sorted(word for word in PHRASES_DICT if len(word) == 2 and all(c in self.reading for c in word))
        # In how many words a character stands says how common it is, and common ones are what is heard.
        self.uses = collections.Counter(character for word in words for character in word)
        self.of_syllables = {}
        for text in words + list(self.reading):
            self.of_syllables.setdefault(toneless(readings(text)), []).append(text)

    def others(self, text, syllables):
        return [other for other in self.of_syllables.get(toneless(syllables), []) if other != text]

    def heard(self, text, syllables, rng):
        """What else may be heard in its place, with acoustic scores."""
        others = self.others(text, syllables)
        weights = [min(self.uses[character] for character in other) + 1 for other in others]
        draws = rng.choices(others, weights, k=rng.choice([1, 2, 3, 4])) if others else []
        for other in dict.fromkeys(draws):
            mean = SAME_TONE if readings(other) == syllables else OTHER_TONE
            yield other, rng.gauss(mean, SPREAD)

    def columns(self, sentence, rng):
        """The choices of each word or character, best first; what was said has the score 0."""
        syllables = readings(sentence)
        at = 0
        while at < len(sentence):
            word, said = sentence[at : at + 2], syllables[at : at + 2]
            if len(word) == 2 and self.others(word, said):
                is_heard = rng.random() < AMBIGUOUS_WORDS
            else:
                word, said = word[:1], said[:1]
                is_heard = rng.random() < AMBIGUOUS_CHARACTERS
            heard = list(self.heard(word, said, rng)) if is_heard else []
            yield sorted([(word, 0.0), *heard], key=lambda choice: -choice[1])
            at += len(word)


def best_texts(columns, count):
    """The texts of the largest sums, best first: `columns` has the choices of each place, best first."""
    start = (0,) * len(columns)
    total = lambda place: sum(column[at][1] for column, at in zip(columns, place))
    heap, seen = [(-total(start), start)], {start}
    while heap and count:
        score, place = heapq.heappop(heap)
        yield "".join(column[at][0] for column, at in zip(columns, place)), -score
        count -= 1
        for index, column in enumerate(columns):
            if place[index] + 1 < len(column):
                worse = place[:index] + (place[index] + 1,) + place[index + 1 :]
                if worse not in seen:
                    seen.add(worse)
                    heapq.heappush(heap, (-total(worse), worse))


def make_list(name, sentence, homophones, rng):
    columns = list(homophones.columns(sentence, rng))
    hypotheses = [{"text": text, "score": round(score, 4)} for text, score in best_texts(columns, HYPOTHESES)]
    return {"id": name, "hypotheses": hypotheses, "reference": sentence}


def sentences(count, rng):
    """Distinct sentences, each template as often as the others."""
    found = {}
    for number in itertools.count():
        if len(found) == count:
            return list(found)
        template = TEMPLATES[number % len(TEMPLATES)]
        filler = {slot: rng.choice(words) for slot, words in SLOTS.items()}
        if any(filler[slot] == filler[other] for slot, other in [("who", "other"), ("where", "to"), ("does", "then")]):
            continue
        found.setdefault(template.format(**filler))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("data"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--train", type=int, default=300)
    parser.add_argument("--dev", type=int, default=120)
    parser.add_argument("--test", type=int, default=200)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    homophones = Homophones()
    args.output.mkdir(parents=True, exist_ok=True)
    texts = sentences(args.train + args.dev + args.test, rng)
    rng.shuffle(texts)
    for split, count in [("train", args.train), ("dev", args.dev), ("test", args.test)]:
        own, texts = texts[:count], texts[count:]
        with open(args.output / f"{split}.jsonl", "w", encoding="utf-8") as file:
            for number, sentence in enumerate(own):
                row = make_list(f"zh-{split}-{number}", sentence, homophones, rng)
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with open(args.output / "pinyin.tsv", "w", encoding="utf-8") as file:
        for character, reading in homophones.reading.items():
            file.write(f"{character}\t{reading}\n")


if __name__ == "__main__":
    main()
