"""Quantities found in text: examples per language, numerals written from integers, hostile input."""

from __future__ import annotations

import json
import random
import time

import pytest
from conftest import ROOT
from num2words import num2words

from pipeline.errors import ConfigurationError
from pipeline.logic import numeralsfile
from pipeline.logic.numerals import LONGEST_TEXT, Quantity, grammar

FILE = ROOT / "pipeline" / "data" / "numerals.yaml"
GRAMMAR = grammar(FILE.read_text(encoding="utf-8"))
CASES = 10_000  # of each language

# Sentence, and what it says: low, high (if a range), modality, further words ("increment", "earlier"). Cardinals alone.
EXAMPLES = {
    "en": [
        ("Two thousand a month, between one hundred and two hundred men", [(2000, "exact"), (100, 200, "exact")]),
        ("The toll rose to 600 from 300.", [(600, "exact"), (300, "exact", "earlier")]),
        ("Previously estimated at 10,000, it is well over 12,000.", [(10000, "exact", "earlier"), (12000, "over")]),
        ("Compared with 10,000 in May, 12,000 were counted.", [(10000, "exact", "earlier"), (12000, "exact")]),
        ("He hands over 84 prisoners.", [(84, "exact")]),
        ("Pyongyang sent about 1,500 soldiers.", [(1500, "about")]),
        ("At least one hundred and five were killed, officials said.", [(105, "at_least")]),
        ("The total is between 11,000 and 12,000 men.", [(11000, 12000, "exact")]),
        ("Up to 10-12 thousand troops are expected.", [(10000, 12000, "up_to")]),
        ("Some 10,000 to 12,000 troops arrived.", [(10000, 12000, "about")]),
        ("Tens of thousands marched and hundreds fell.", [(20000, 90000, "about"), (200, 900, "about")]),
        ("Two dozen men and several hundred women.", [(24, "exact"), (200, 900, "about")]),
        ("No fewer than 3,000 men; no more than 400 returned.", [(3000, "at_least"), (400, "up_to")]),
        ("More than 1.5 million shells, upwards of 10K drones.", [(1500000, "over"), (10000, "over")]),
        ("Another 3,000 soldiers will follow.", [(3000, "exact", "increment")]),
        ("Up to 3,000 more soldiers will follow.", [(3000, "up_to", "increment")]),
        ("The count stands at 12,000, up from 10,000.", [(12000, "exact"), (10000, "exact", "earlier")]),
        ("The force grew from 10,000 to 12,000.", [(10000, "exact", "earlier"), (12000, "exact")]),
        ("A thousand men, 300 or so hurt, 400 or more lost.", [(1000, "exact"), (300, "about"), (400, "at_least")]),
        ("A 3,000-strong unit with almost 200 officers", [(3000, "exact"), (200, "about")]),
        ("Five units of three thousand each", [(5, "exact"), (3000, "exact")]),
        ("Two or three soldiers gave up.", [(2, 3, "exact")]),
        ("One soldier was captured, one of the last.", [(1, "exact")]),
        ("No one came, one another, third country, one day.", []),
        ("It lost over 2000 soldiers.", [(2000, "over")]),
    ],
    "fr": [
        (
            "Ils sont 12 000 soldats contre 10 000 en mai dans la ville.",
            [(12000, "exact"), (10000, "exact", "earlier")],
        ),
        ("Un soldat et vingt et un hommes dans la ville.", [(21, "exact")]),
        ("De 10 000 à 12 000 soldats dans la ville.", [(10000, 12000, "exact")]),
        ("Entre 10 000 et 12 000 soldats sont arrivés dans la région.", [(10000, 12000, "exact")]),
        ("Une centaine de soldats et des milliers d'autres dans la zone.", [(100, "about"), (2000, 9000, "about")]),
        ("Plus de 3 000 morts, au moins deux cents blessés dans les rangs.", [(3000, "over"), (200, "at_least")]),
        ("Jusqu'à quatre-vingt-dix-sept hommes dans la ville.", [(97, "up_to")]),
        ("Environ 1,5 million d'obus pour les forces.", [(1500000, "about")]),
        ("Des dizaines de milliers de soldats dans le pays.", [(20000, 90000, "about")]),
        ("Kim Jong-un est un des hommes les plus riches.", []),
    ],
    "ru": [
        ("Тысяч пять солдат, тысячи две раненых", [(5000, "about"), (2000, "about")]),
        ("От полутора до двух тысяч", [(1500, 2000, "exact")]),
        ("В Россию прибыли около двенадцати тысяч человек.", [(12000, "about")]),
        ("Погибли не менее трёхсот военных.", [(300, "at_least")]),
        ("От 10 до 12 тысяч солдат, до 3,5 тыс. раненых.", [(10000, 12000, "exact"), (3500, "up_to")]),
        ("12-тысячный контингент и двухтысячный отряд", [(12000, "exact"), (2000, "exact")]),
        ("Полторы тысячи бойцов, несколько сотен убитых", [(1500, "exact"), (200, 900, "about")]),
        ("О ста погибших и тысяче раненых", [(100, "exact"), (1000, "exact")]),
        ("Более тысячи человек; тысячи беженцев", [(1000, "over"), (2000, 9000, "about")]),
        ("Выросло с 10 тысяч до 12 тысяч человек", [(10000, "exact", "earlier"), (12000, "exact")]),
        ("Ещё 3 тысячи солдат", [(3000, "exact", "increment")]),
        ("Пять-шесть тысяч бойцов, двое пленных", [(5000, 6000, "exact"), (2, "exact")]),
        ("10 000 солдат, 300 с лишним машин", [(10000, "exact"), (300, "over")]),
        ("Один из солдат, ни один, друг друга, третьих стран", []),
    ],
    "uk": [
        ("На Курщині від одинадцяти до дванадцяти тисяч солдатів.", [(11000, 12000, "exact")]),
        ("Не менш як десять тисяч осіб, понад п'ятсот поранених", [(10000, "at_least"), (500, "over")]),
        ("П’ять підрозділів по три тисячі осіб", [(5, "exact"), (3000, "exact")]),
        ("Вбито й поранено близько тисячі солдатів", [(1000, "about")]),
        ("До трьох тисяч громадян, щонайменше 12 тис. осіб", [(3000, "up_to"), (12000, "at_least")]),
        ("Ще п'ятнадцять тисяч військових", [(15000, "exact", "increment")]),
        ("Кілька сотень полонених, десятки загиблих", [(200, 900, "about"), (20, 90, "about")]),
        ("Зросла з 10 тисяч до 12 тисяч", [(10000, "exact", "earlier"), (12000, "exact")]),
        ("Один із них, жоден, один одного", []),
    ],
    "ko": [
        ("3천명에서 1만명으로 늘었다.", [(3000, "exact", "earlier"), (10000, "exact")]),
        ("여성 3명이, 남성 4명 여러 곳", [(3, "exact"), (4, "exact")]),
        ("4개 여단 6천명가량", [(4, "exact"), (6000, "about")]),
        ("북한군 1만2천여 명이 도착했다.", [(12000, "about")]),
        ("최대 600명이 숨졌다.", [(600, "up_to")]),
        ("약 3천명 이상이 다쳤다.", [(3000, "at_least")]),
        ("1만1천~1만2천 명이 배치됐다.", [(11000, 12000, "exact")]),
        ("10~12만 명 규모", [(100000, 120000, "about")]),
        ("병력 1만 2,000여 명, 1만2345명", [(12000, "about"), (12345, "exact")]),
        ("수백 명이 다치고 수천 명이 갔다.", [(200, 900, "about"), (2000, 9000, "about")]),
        ("십여 명, 백여명, 열두 명, 세 명", [(10, "about"), (100, "about"), (12, "exact"), (3, "exact")]),
        ("추가로 3천 명을 보냈다.", [(3000, "exact", "increment")]),
        ("기존 1만명에서 1만2천명으로 늘었다.", [(10000, "exact", "earlier"), (12000, "exact")]),
        ("1만 명을 넘는 병력, 1만5천명에 육박", [(10000, "over"), (15000, "about")]),
        ("두세 명이 탈영했다.", [(2, 3, "about")]),
        ("이 일이 늦어졌고 한편 회의를 열기로 했다.", []),
        ("한국 정부는 조선중앙통신 열병식 사건을 이번에 영국과 일부 논의했다.", []),
    ],
    "ja": [
        ("1万人から1万2000人に増えた。", [(10000, "exact", "earlier"), (12000, "exact")]),
        ("十数人、数万人", [(12, 19, "about"), (20000, 90000, "about")]),
        ("約1万2000人が派遣された。", [(12000, "about")]),
        ("少なくとも3000人が船で入った。", [(3000, "at_least")]),
        ("1万から1万2000人とみられる。", [(10000, 12000, "exact")]),
        ("1万人以上、5千人超、１万２千人", [(10000, "at_least"), (5000, "over"), (12000, "exact")]),
        ("さらに3000人を送る。", [(3000, "exact", "increment")]),
        ("数百人が死亡し、三百人近くが負傷した。", [(200, 900, "about"), (300, "about")]),
        ("兵士二人を捕虜にした。", [(2, "exact")]),
        ("最大で1万5千人", [(15000, "up_to")]),
        ("一方、一部の第三国は統一を十分に論じた。", []),
    ],
    "zh": [
        ("从100人增加到300人", [(100, "exact", "earlier"), (300, "exact")]),
        ("士兵兩千人", [(2000, "exact")]),
        ("至少有两百名士兵，总数为一万一千至一万二千人", [(200, "at_least"), (11000, 12000, "exact")]),
        ("兩三人一組", [(2, 3, "about"), (1, "exact")]),
        ("约1.2万名士兵抵达。", [(12000, "about")]),
        ("上万名士兵，近千人死亡。", [(10000, "at_least"), (1000, "about")]),
        ("三千多名士兵，至少两名被俘。", [(3000, "over"), (2, "at_least")]),
        ("超过一万两千人，最多五百人", [(12000, "over"), (500, "up_to")]),
        ("一万零五百名官兵", [(10500, "exact")]),
        ("1万至1.2万人，3000人左右", [(10000, 12000, "exact"), (3000, "about")]),
        ("数百人，成千上万人", [(200, 900, "about"), (2000, 90000, "about")]),
        ("另有3000人", [(3000, "exact", "increment")]),
        ("二三十人", [(20, 30, "about")]),
        ("一个国家，最近，一部分，统一。", []),
    ],
}
# What is no number of persons or things, and what it is instead.
KINDS = [
    ("the 92nd brigade and the 11th Corps", ["unit_name", "unit_name"]),
    ("the 155th Separate Naval Infantry Brigade", ["unit_name"]),
    ("11군단과 92여단", ["unit_name", "unit_name"]),
    ("бойцы 11-го корпуса и 810 бригады", ["unit_name", "unit_name"]),
    ("одинадцятої десантно-штурмової бригади", ["unit_name"]),
    ("第11軍団の兵士", ["unit_name"]),
    ("F-16, KN-23, COVID-19 and the T90", ["code"] * 4),
    ("It ended 3-0.", ["code"]),
    ("On October 23, 2024, at 18:30", ["date", "year", "time"]),
    ("le 23 octobre 2024 à 18h30 dans la ville", ["date", "year", "time"]),
    ("since mid-2024", ["year"]),
    ("the K battalion, Park (27), 코로나19", ["measure", "code"]),
    ("95-та окрема бригада, 92-ю бригаду", ["unit_name", "unit_name"]),
    ("between October 8 and 13", ["date", "date"]),
    ("in 2024 and the 2025 election", ["year", "year"]),
    ("23 октября 2024 года", ["date", "year"]),
    ("18 жовтня 2024 року", ["date", "year"]),
    ("2024년 10월 18일 오전 9시", ["year", "date", "date", "time"]),
    ("2024年10月23日午前9時", ["year", "date", "date", "time"]),
    ("2024-10-18, 18.10.2024, 6·25", ["date", "date", "date"]),
    ("paid $2,000 a month, 2천 달러, 2000ドル, 5 млн долларов, 300 євро", ["money"] * 5),
    ("155mm shells, 200 km, 5 лет, 3개월, 10時間, 5公里", ["measure"] * 6),
    ("12 percent, 12%, 18 процентов, 30퍼센트", ["percent"] * 4),
    ("a third of the force, половина бойцов, 3분의 1, 三分之一, 3分の1", ["fraction"] * 5),
    ("twice as many, 2배, 3倍, вдвое, три раза", ["multiple"] * 5),
    ("the first, третий, 세 번째, 第三次", ["ordinal"] * 4),
    ("magnitude 5.8", ["decimal"]),
]


def tell(q: Quantity) -> tuple[object, ...]:
    ends = (q.low,) if q.low == q.high else (q.low, q.high)
    return (*ends, q.modality, *(["increment"] if q.increment else []), *(["earlier"] if q.earlier else []))


@pytest.mark.parametrize(
    ("language", "text", "expected"), [(code, *entry) for code, entries in EXAMPLES.items() for entry in entries]
)
def test_examples(language: str, text: str, expected: list[tuple[object, ...]]) -> None:
    found = [q for q in GRAMMAR.find(text, language) if q.kind == "cardinal"]
    assert [tell(q) for q in found] == expected
    for q in found:
        assert 0 <= q.start <= q.number_start < q.number_end <= q.end <= len(text)


@pytest.mark.parametrize(("text", "kinds"), KINDS)
def test_kinds(text: str, kinds: list[str]) -> None:
    assert [q.kind for q in GRAMMAR.find(text)] == kinds


def test_what_stands_beside() -> None:
    text = "NIS said on Friday: at least 1,500 North Korean soldiers, all of them young, arrived."
    (quantity,) = GRAMMAR.find(text)
    assert text[quantity.start : quantity.end] == "at least 1,500"
    assert text[quantity.number_start : quantity.number_end] == "1,500"
    assert quantity.counted.startswith("North Korean soldiers")
    assert quantity.before.endswith("on Friday:") or quantity.before == ""


# Numerals written from integers


def amounts(seed: int, low: int = 2) -> list[int]:
    """Integers of every length, many of them round as in news."""
    draw = random.Random(seed)
    found = list(range(low, 2000))
    while len(found) < CASES:
        size = 10 ** draw.randint(2, 9)
        n = draw.randint(1, size)
        round_to = 10 ** draw.randint(0, len(str(n)) - 1)
        found.append(max(low, n // round_to * round_to))
    return found


def check(text: str, written: str, n: int, language: str) -> str | None:
    """What is wrong with how a numeral is read, if anything."""
    found = [q for q in GRAMMAR.find(text, language) if q.kind in ("cardinal", "year")]
    if len(found) != 1:
        return f"{text}: {found}"
    q = found[0]
    right = q.low == q.high == n and text[q.number_start : q.number_end] == written
    return None if right else f"{text}: {n} read as {q.low}-{q.high}"


def chinese(n: int) -> str:
    digits = "零一二三四五六七八九"
    if n >= 10**8:
        head, rest = divmod(n, 10**8)
        return chinese(head) + "亿" + _rest(rest, 10**8)
    if n >= 10**4:
        head, rest = divmod(n, 10**4)
        return chinese(head) + "万" + _rest(rest, 10**4)
    for value, name in ((1000, "千"), (100, "百"), (10, "十")):
        if n >= value:
            head, rest = divmod(n, value)
            return digits[head] + name + _rest(rest, value)
    return digits[n]


def _rest(rest: int, above: int) -> str:
    if not rest:
        return ""
    return ("零" if rest < above // 10 else "") + chinese(rest)


WRITERS = {
    "en": (lambda n: num2words(n, lang="en").replace(",", ""), "They lost {} soldiers in the war."),
    "fr": (lambda n: num2words(n, lang="fr"), "Ils ont perdu {} soldats dans la guerre."),
    "ru": (lambda n: num2words(n, lang="ru"), "Потеряно {} солдат."),
    "uk": (lambda n: num2words(n, lang="uk"), "Втрачено {} солдатів."),
    "ja": (lambda n: num2words(n, lang="ja"), "兵士{}人"),
    "ko": (lambda n: num2words(n, lang="ko"), "북한군 {} 명"),
    "zh": (chinese, "朝鲜士兵{}名"),
}


@pytest.mark.parametrize("language", WRITERS)
def test_words_parse_back(language: str) -> None:
    write, sentence = WRITERS[language]
    numbers = amounts(1, 10 if language == "ko" else 2)  # one Korean syllable alone is another word
    read = (check(sentence.format(write(n)), write(n), n, language) for n in numbers)
    wrong = [told for told in read if told]
    assert len(numbers) >= CASES
    assert not wrong, f"{len(wrong)} of {len(numbers)}: {wrong[:10]}"


def test_russian_genitives_parse_back() -> None:
    for n in amounts(2)[::5]:
        written = num2words(n, lang="ru", case="genitive", plural=False)
        assert check(f"Около {written} солдат.", written, n, "ru") is None, written


def grouped(n: int, mark: str) -> str:
    return f"{n:,}".replace(",", mark)


def mixed(n: int, ten_thousand: str, thousand: str) -> str:
    """As newspapers write: 1만2천345."""
    head, rest = divmod(n, 10_000)
    thousands, rest = divmod(rest, 1000)
    written = f"{head}{ten_thousand}" if head else ""
    written += f"{thousands}{thousand}" if thousands else ""
    return written + (str(rest) if rest else "")


DIGITS = {
    "en": [(lambda n: grouped(n, ","), "They lost {} soldiers."), (str, "They lost about {} soldiers.")],
    "fr": [
        (lambda n: grouped(n, "\u202f"), "Ils ont perdu {} soldats dans la guerre."),
        (lambda n: grouped(n, "."), "Ils ont perdu {} soldats dans la guerre."),
    ],
    "ru": [(lambda n: grouped(n, "\u00a0"), "Потеряно {} солдат."), (lambda n: grouped(n, " "), "Потеряно {} солдат.")],
    "uk": [(lambda n: grouped(n, " "), "Втрачено {} солдатів."), (lambda n: grouped(n, "."), "Втрачено {} осіб.")],
    "ja": [
        (lambda n: mixed(n, "万", "千"), "兵士{}人"),
        (lambda n: grouped(n, ",").translate({48 + i: 0xFF10 + i for i in range(10)}), "兵士{}人"),
    ],
    "ko": [(lambda n: mixed(n, "만", "천"), "북한군 {}명"), (lambda n: grouped(n, ","), "북한군 {}명")],
    "zh": [(lambda n: mixed(n, "万", "千"), "士兵{}名"), (lambda n: grouped(n, ","), "士兵{}名")],
}


@pytest.mark.parametrize("language", DIGITS)
def test_digits_parse_back(language: str) -> None:
    numbers = [n for n in amounts(3) if n < 10**8][: CASES // 2]
    cases = [(write(n), sentence, n) for write, sentence in DIGITS[language] for n in numbers]
    wrong = [told for written, sentence, n in cases if (told := check(sentence.format(written), written, n, language))]
    assert not wrong, f"{len(wrong)} of {len(cases)}: {wrong[:10]}"


RANGES = {
    "en": "between {} and {} soldiers",
    "fr": "entre {} et {} soldats dans les",
    "ru": "от {} до {} солдат",
    "uk": "від {} до {} солдатів",
    "ja": "{}から{}人",
    "ko": "{}~{}명",
    "zh": "{}至{}人",
}


@pytest.mark.parametrize("language", RANGES)
def test_ranges_parse_back(language: str) -> None:
    draw = random.Random(4)
    for _ in range(1000):
        low = draw.randint(10, 99) * 100
        high = low + draw.randint(1, 50) * 100
        if 1900 <= high <= 2100:  # may be years
            continue
        (found,) = GRAMMAR.find(RANGES[language].format(low, high), language)
        assert (found.low, found.high, found.kind) == (low, high, "cardinal")


# Hostile input


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "1,000," * 16_000,
        "1.2.3.4." * 12_000,
        "twenty " * 14_000,
        "twenty-" * 14_000,
        "thousand million " * 5_000,
        "about " * 16_000,
        "soixante et " * 8_000,
        "тысяч " * 16_000,
        "만" * 100_000,
        "수" * 100_000,
        "一" * 100_000,
        "千万" * 50_000,
        "1만" * 33_000,
        "between 1 and " * 7_000,
        "от 1 до " * 12_000,
        "(" * 50_000 + "1" + ")" * 50_000,
        "١٢٣٤ " * 20_000,
        "\ud800 12 \udfff\x00 13 \x00" * 5_000,
        "İ" * 50_000 + " 12 men",
        " " * 99_000 + "12",
        "1:1:1:1-1-1-1/" * 7_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_input_is_read_in_time(text: str) -> None:
    begun = time.perf_counter()
    GRAMMAR.find(text[:LONGEST_TEXT])
    assert time.perf_counter() - begun < 8, "not linear"
    assert not GRAMMAR.find("12 men " * LONGEST_TEXT)


def test_offsets_hold_where_small_letters_are_longer() -> None:
    text = "İİİ Kyiv: 12,000 men"
    (quantity,) = GRAMMAR.find(text)
    assert text[quantity.number_start : quantity.number_end] == "12,000"


def test_the_language_is_only_a_hint() -> None:
    for wrong in (None, "xx", "ko", "en", "fr"):
        assert [q.low for q in GRAMMAR.find("북한군 1만2천 명, двенадцать тысяч солдат", wrong)] == [12000, 12000]


def test_mistakes_in_the_lexicon_are_told_by_line() -> None:
    content = (
        "en:\n  units: {x: [one]}\n  before: {abut: [about]}\n  after: {}\n"
        "  range: {between: [], pairs: [[a]], change_pairs: [], changed: []}\n  kinds: {weight: {after: [KG]}}\n"
    )
    with pytest.raises(ConfigurationError) as raised:
        numeralsfile.parse(content, "n.yaml")
    lines = str(raised.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "3", "5", "6", "6"]


def test_an_empty_lexicon_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError):
        numeralsfile.parse("", "n.yaml")


def test_no_paragraph_takes_long() -> None:
    articles = (ROOT / "pipeline" / "newsroom" / "data" / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    spent = []
    for text in (paragraph for line in articles for paragraph in json.loads(line)["paragraphs"]):
        begun = time.process_time()
        GRAMMAR.find(text)
        spent.append(time.process_time() - begun)
    assert max(spent) < 0.05
