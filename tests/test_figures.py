"""Figures read from paragraphs: roles, whose they are, what is left out, and their quality as floors.

The paragraphs of tests/data/figures.yaml are tried one by one; floors in tests/figures_quality.json are the measured
values less 0.03. `make bench-figures` prints all figures.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from conftest import CLAIMS, ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigurationError
from pipeline.evaluation import figures as measuring
from pipeline.evaluation.score import TextItem, figures_of
from pipeline.logic import claimsfile, originsfile
from pipeline.logic.figure_records import Figure, Reading
from pipeline.logic.figures import Figures
from pipeline.logic.mentions import Finder
from pipeline.logic.roles import Roles
from pipeline.stages import figure_materials

FLOORS = json.loads((ROOT / "tests" / "figures_quality.json").read_text(encoding="utf-8"))
PRACTICE = ROOT / "tests" / "data" / "figures.yaml"
AUTHORITIES = ROOT / "tests" / "data" / "figure_authorities.yaml"
ARTICLES = ROOT / "tests" / "data" / "figure_articles.jsonl"
NEWSROOM = ROOT / "pipeline" / "newsroom" / "data"
FRIDAY = date(2024, 12, 20)


@pytest.fixture(scope="module")
def finder() -> Finder:
    file = ROOT / "claims" / "origins.yaml"
    return Finder(originsfile.parse(file.read_text(encoding="utf-8"), str(file)))


@pytest.fixture(scope="module")
def reader(finder: Finder) -> Figures:
    roles = claimsfile.parse(CLAIMS.read_text(encoding="utf-8"), str(CLAIMS)).roles
    assert roles is not None
    return figure_materials.reader(roles, finder)


def read(reader: Figures, text: str, title: str = "", language: str | None = None) -> Reading:
    return reader.article(title, [text], published=FRIDAY, language=language)[0]


def only(reader: Figures, text: str, title: str = "") -> Figure:
    found = read(reader, text, title).figures
    assert len(found) == 1, found
    return found[0]


def told(figure: Figure) -> tuple[str, float, float, str]:
    return figure.role, figure.low, figure.high, figure.modality


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("At least 30 North Korean soldiers were killed on Sunday.", ("killed", 30, 30, "at_least")),
        ("Between 10,000 and 12,000 North Koreans are in Russia.", ("deployed", 10000, 12000, "exact")),
        ("북한군 1천여 명이 다쳤다.", ("wounded", 1000, 1000, "about")),
        ("북한군 사상자가 최대 600명에 이른다.", ("casualties", 600, 600, "up_to")),
        ("Убиты не менее трёхсот солдат КНДР.", ("killed", 300, 300, "at_least")),
        ("В Россию прибыли около 1500 военных КНДР.", ("shipped", 1500, 1500, "about")),
        ("Українці взяли в полон двох солдатів КНДР.", ("captured", 2, 2, "exact")),
        ("КНДР планує відправити до 25 тисяч солдатів.", ("planned", 25000, 25000, "up_to")),
        ("北朝鮮兵約300人が死亡した。", ("killed", 300, 300, "about")),
        ("北朝鮮は約1万2000人をロシアに派兵した。", ("deployed", 12000, 12000, "about")),
        ("朝鲜军队伤亡超过3000人。", ("casualties", 3000, 3000, "over")),
        ("18名朝鲜士兵从阵地逃跑。", ("deserted", 18, 18, "exact")),
    ],
)
def test_roles_in_six_languages(reader: Figures, text: str, expected: tuple[Any, ...]) -> None:
    assert told(only(reader, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # pay is what one soldier gets by the month: no lump sum, yearly sum, part kept, or income of the state
        ("Families of dead North Korean soldiers were paid $3,000 last month.", []),
        ("North Korea earns $20,000 a year for each soldier.", []),
        ("Pyongyang earns some $20 million a month from its soldiers.", []),
        ("Russia pays $2,000 a month for a North Korean; the state keeps $1,800.", [("pay_usd_month", 2000)]),
        ("지난 10월 북한군 병사는 2천달러를 한꺼번에 받았다.", []),
        ("북한군 1인당 월 2천달러, 연간 2억달러를 벌어들인다.", [("pay_usd_month", 2000)]),
        ("10月、北朝鮮兵の遺族に5000ドルが支払われた。", []),
        ("去年10月，朝鲜士兵家属收到5000美元。", []),
        (
            "Северокорейский солдат получает 2000 долларов в месяц, тогда как российский контрактник - 4000 долларов.",
            [("pay_usd_month", 2000)],
        ),
        # prisoners that are exchanged, or of the other side
        ("Ukraine and Russia exchanged 150 prisoners; no North Koreans were among them.", []),
        ("Росія та Україна обмінялися 103 полоненими, північнокорейців серед них не було.", []),
        ("러시아와 우크라이나는 포로 150명씩을 교환했다. 북한군은 없었다.", []),
        ("Russia returned 50 Ukrainian prisoners of war, some of them seized by North Koreans.", []),
        # "and" joins names, not clauses
        (
            "The 12,000 that Polish and Estonian ministers have named as the eventual size of Kim's force are far off.",
            [("planned", 12000)],
        ),
        # what is sent for a purpose, and what is sent beside it
        (
            "КНДР направит тысячу саперов для разминирования и пять тысяч военных строителей.",
            [("planned", 1000), ("planned", 5000)],
        ),
        (
            "North Korea will send 800 sappers to clear mines on Russian soil and 2,000 engineers, Moscow said.",
            [("planned", 800), ("planned", 2000)],
        ),
        (
            "Pyongyang послал в Россию 9000 солдат КНДР, и ещё тысяча сапёров едет туда.",
            [("deployed", 9000), ("shipped", 1000)],
        ),
        # old wars, whole armies, groups of which the topic's people are some
        ("In the Vietnam War South Korea sent 300,000 soldiers, North Korea a few pilots.", []),
        ("朝鲜军队总兵力约120万人。", []),
        ("Russia has 50,000 troops in Kursk, including North Koreans.", []),
        ("Росія зосередила на Курщині 50 тисяч військових, включно з північнокорейцями.", []),
        ("러시아군과 북한군 5만명이 쿠르스크에 집결했다.", []),
        ("분대원 아홉 명이 모두 죽었다고 북한군 포로가 말했다.", [("killed", 9)]),
        ("Après l'accord, la Corée du Nord va dépêcher 1.000 sapeurs.", [("planned", 1000)]),
        # wholes that only the region named gives a role
        ("北朝鮮兵の小隊はクルスクで27人のうち22人を失った。", [("casualties", 22)]),
        ("北朝鮮兵は1万5000人が渡り、うち約600人が死亡した。", [("deployed", 15000), ("killed", 600)]),
    ],
)
def test_which_numbers_are_figures_and_in_which_role(
    reader: Figures, text: str, expected: list[tuple[str, float]]
) -> None:
    found = [(f.role, f.high) for f in read(reader, text, "North Korean troops in Russia").figures]
    assert found == expected


def test_a_role_has_terms_apart_and_a_most(finder: Finder) -> None:
    text = SMALL.replace("cues: {en: [rescued]}", "most: 500, apart: {en: [of the dogs]}, cues: {en: [rescued]}")
    roles = claimsfile.parse(text, "small.yaml").roles
    assert roles is not None
    assert Roles.of(json.loads(json.dumps(roles.stored()))) == roles
    other = figure_materials.reader(roles, finder)
    assert [f.high for f in read(other, "About 400 passengers were rescued.").figures] == [400]
    assert not read(other, "About 900 passengers were rescued.").figures
    assert not read(other, "About 400 of the dogs of passengers were rescued.").figures
    with pytest.raises(ConfigurationError, match="most must be a whole number"):
        claimsfile.parse(text.replace("most: 500", "most: many"), "small.yaml")


def practice() -> Iterator[Any]:
    content = yaml.safe_load(PRACTICE.read_text(encoding="utf-8"))
    for language, listed in content.items():
        for number, _ in enumerate(listed, 1):
            yield f"{language}-{number}"


@pytest.fixture(scope="module")
def practised(reader: Figures) -> dict[str, measuring.Answer]:
    return {answer.place: answer for answer in measuring.practice(reader, PRACTICE)}


def test_practice_is_in_six_languages_and_large_enough(practised: dict[str, measuring.Answer]) -> None:
    assert list(practised) == list(practice())
    languages = measuring.by_language(practised.values())
    assert {"en", "ko", "ru", "uk", "ja", "zh"} <= languages.keys()
    assert all(len(languages[language]) >= 25 for language in ("en", "ko", "ru", "uk", "ja", "zh"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("North Korea sent 3,000 containers of shells to Russia.", "other unit"),
        ("Some 5,000 North Korean workers were sent to Russia.", "other unit"),
        ("북한 노동자 1천 명이 러시아에 파견됐다.", "other unit"),
        ("北朝鮮の労働者500人がロシアに派遣された。", "other unit"),
        ("约500名朝鲜工人被派往俄罗斯。", "other unit"),
        ("North Koreans fought 300 Russian soldiers, who were killed.", "other people"),
        ("Russia lost 1,500 soldiers beside the North Koreans.", "other people"),
        ("About 300 soldiers were killed in Sudan.", "not of the topic"),
        ("North Korean soldiers of the 92nd brigade were killed.", "unit name"),
        ("North Korean troops marched 40 kilometres to Kursk.", "measure"),
        ("A third of the North Korean soldiers were killed.", "part of an unknown whole"),
        ("North Korea sent 135,000 soldiers south in 1950.", "long ago"),
        ("The 12,000 North Korean soldiers returned home.", "no role"),
        ("The two captured North Korean soldiers are in Kyiv.", "told before"),
        ("The number of villages lost by North Koreans rose to 120.", "other unit"),
        ("북한이 파병을 결정한 것은 지난해 8월 2...", "cut off"),
    ],
)
def test_left_out_with_a_reason(reader: Figures, text: str, reason: str) -> None:
    reading = read(reader, text)
    assert reading.figures == ()
    assert reason in [number.reason for number in reading.left_out]
    assert all(text[n.start : n.end] == n.span for n in reading.left_out)


def test_every_number_is_accounted_for(reader: Figures) -> None:
    grammar = figure_materials.grammar()
    for answer_text in (
        "In 2024 North Korea sent 12,000 soldiers, 3,000 containers and 4 generals 800 km west for $5 million.",
        "북한군 1만2천 명 중 300명이 죽었고 18일 2명이 생포됐으며 컨테이너 50개가 왔다.",
    ):
        reading = read(reader, answer_text)
        places = sorted([f.start for f in reading.figures] + [n.start for n in reading.left_out])
        assert places == sorted(q.start for q in grammar.find(answer_text))


def test_fraction_of_a_total(reader: Figures) -> None:
    part, whole = read(reader, "A third of the 12,000 North Korean soldiers sent to Kursk were killed.").figures
    assert (told(part), part.of) == (("killed", 4000, 4000, "exact"), 12000)
    assert told(whole)[:3] == ("deployed", 12000, 12000)


def test_parts_and_wholes(reader: Figures) -> None:
    found = read(reader, "쿠르스크에 배치된 북한군 1만1천여 명 가운데 300여 명이 숨졌다.").figures
    assert [told(f) for f in found] == [("deployed", 11000, 11000, "about"), ("killed", 300, 300, "about")]


def test_units_are_multiplied(reader: Figures) -> None:
    figure = only(reader, "North Korea plans to send five units of 3,000 soldiers each.")
    assert told(figure)[:3] == ("planned", 15000, 15000)


def test_an_increment_is_marked_and_no_total(reader: Figures) -> None:
    more, total = read(
        reader, "North Korea sent another 3,000 soldiers, and 15,000 North Koreans are now in Russia."
    ).figures
    assert (more.role, more.increment) == ("shipped", True)
    assert (total.role, total.increment) == ("deployed", False)


def test_an_earlier_figure_is_marked(reader: Figures) -> None:
    now, then = read(reader, "North Korean casualties have risen to 4,000, up from 3,000.").figures
    assert (now.high, now.earlier) == (4000, False)
    assert (then.high, then.earlier) == (3000, True)


def test_a_denial_keeps_whose_figure_it_is(reader: Figures) -> None:
    figure = only(
        reader, "The Kremlin dismissed the South Korean claim that 3,000 North Korean soldiers had been killed."
    )
    assert figure.denied
    assert figure.attributed_to == ("nis",)  # whose figures Seoul gives on this topic


@pytest.mark.parametrize(
    "text",
    [
        "The only North Korean prisoner died.",
        "Единственный пленный северокореец скончался.",
        "Єдиний полонений солдат КНДР помер.",
        "유일한 북한군 포로가 숨졌다.",
        "唯一の北朝鮮兵の捕虜が死亡した。",
        "唯一的朝鲜战俘死亡。",
    ],
)
def test_the_only_prisoner_is_one(reader: Figures, text: str) -> None:
    assert told(only(reader, text)) == ("captured", 1, 1, "exact")


def test_the_only_of_several_is_no_number(reader: Figures) -> None:
    assert read(reader, "The only casualties were North Korean. The only North Korean in the room stood.").figures == ()


def test_a_role_that_the_sentence_in_front_tells(reader: Figures) -> None:
    figure = only(reader, "North Korean losses grow fast. The NIS put the figure at 1,100.")
    assert told(figure) == ("casualties", 1100, 1100, "exact")
    two = "North Koreans were killed and captured. The NIS put the figure at 1,100."
    assert [n.reason for n in read(reader, two).left_out] == ["no role"]


def test_nobody_is_no_figure(reader: Figures) -> None:
    assert read(reader, "Not one North Korean soldier was captured.").figures == ()
    assert read(reader, "There are no North Korean soldiers in Russia.").figures == ()


@pytest.mark.parametrize(
    ("text", "authorities"),
    [
        (
            "Zelensky put North Korean losses at 3,000, while the NIS counted 1,100 casualties.",
            ["ukrainian-president", "nis"],
        ),
        ("By the Pentagon's estimate, 10,000 North Korean soldiers are in Russia.", ["pentagon"]),
        ("Около 300 солдат КНДР убиты, сообщила депутатам южнокорейская разведка.", ["nis"]),
        ("The NIS briefed lawmakers. About 300 North Korean soldiers were killed, it said.", ["nis"]),
        ("About 300 North Korean soldiers were killed.", []),
        ("The NIS met lawmakers. It said 300 North Koreans were killed.", ["nis"]),
        ("About 300 North Koreans were killed. That is the NIS's estimate.", ["nis"]),
        ("About 300 North Koreans were killed. That figure was rejected by the NIS as false.", []),
        ("The number of North Korean dead was put at 300 by the NIS.", ["nis"]),
        ("A spokesman for the NIS said 300 North Koreans were killed.", ["nis"]),
        ("The NIS and the Pentagon believe 300 North Koreans were killed.", ["nis", "pentagon"]),
        ("American and South Korean officials say 300 North Koreans died.", ["officials-us", "officials-kr"]),
        ("The Pentagon is silent, and Kyiv outlets wrote of 40 North Koreans killed.", ["ukrainian-media"]),
    ],
)
def test_authority(reader: Figures, text: str, authorities: list[str]) -> None:
    found = [origin for figure in read(reader, text).figures for origin in figure.attributed_to]
    assert found == authorities


def test_the_same_number_under_the_states_name(reader: Figures) -> None:
    first, second = reader.article(
        "",
        [
            "The NIS said that 3,000 North Korean soldiers had been killed.",
            "Seoul's figure of 3,000 North Korean soldiers killed could not be verified.",
        ],
        published=FRIDAY,
    )
    assert first.figures[0].attributed_to == second.figures[0].attributed_to == ("nis",)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("The NIS said on Thursday that 300 North Korean soldiers were killed.", date(2024, 12, 19)),
        ("국정원은 18일 북한군 300명이 숨졌다고 밝혔다.", date(2024, 12, 18)),
        ("国情院は11月30日、北朝鮮兵300人が死亡したと発表した。", date(2024, 11, 30)),
        ("17 декабря НСР сообщила, что убиты 300 солдат КНДР.", date(2024, 12, 17)),
        ("Between October 8 and 13 the NIS saw 1,500 North Korean soldiers shipped, it said.", FRIDAY),
        ("300 North Korean soldiers were killed.", FRIDAY),
    ],
)
def test_as_of(reader: Figures, text: str, day: date) -> None:
    assert read(reader, text).figures[0].as_of == day


def test_the_topic_may_stand_in_the_title_or_before(reader: Figures) -> None:
    text = "About 300 were killed and 1,000 wounded."
    assert read(reader, text).figures == ()
    assert len(read(reader, text, "North Korean losses").figures) == 2
    assert len(reader.article("", ["The North Koreans attacked.", text])[1].figures) == 2


def test_spans_quote_the_text(reader: Figures, practised: dict[str, measuring.Answer]) -> None:
    text = "ＮＩＳ… 북한군 ㎞ 최소 100여 명이 숨졌다ﬁ. İ 300 North Koreans were wounded."
    for figure in read(reader, text).figures:
        assert text[figure.start : figure.end] == figure.span
    assert practised


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read(reader: Figures, text: str) -> None:
    for part in (text, f"북한군 {text} 300명 {text}", f"{text} North Korean soldiers {text} 12,000 {text} killed"):
        reading = read(reader, part)
        assert all(part[f.start : f.end] == f.span for f in (*reading.figures, *reading.left_out))


@pytest.mark.parametrize(
    "text",
    [
        "300 " * 500,
        "killed " * 300 + "300 North Koreans",
        "1" * 2000,
        "북한군 300명 중 " * 150,
        "a third of the " * 100 + "12,000 North Koreans",
        "，" * 1500,
    ],
)
def test_hostile_paragraphs_take_no_time(reader: Figures, text: str) -> None:
    begun = time.perf_counter()
    read(reader, text[:2000])
    assert time.perf_counter() - begun < 2


def test_roles_are_stored_with_the_claims_that_name_them() -> None:
    topic = claimsfile.parse(CLAIMS.read_text(encoding="utf-8"), str(CLAIMS))
    named = {claim.claim_id: claim.figures for claim in topic.claims if claim.figures}
    assert named["killed-in-kursk"] == ("killed", "wounded", "casualties")
    assert topic.roles is not None
    for claim in topic.claims:
        stored = json.loads(json.dumps(claim.definition()))
        again = claimsfile.Claim.from_definition(claim.claim_id, claim.statement, stored)
        assert again == replace(claim, title=None)  # no part of what is matched
        assert again.definition_hash() == claim.definition_hash()
        assert again.roles == (topic.roles if claim.figures else None)


SMALL = """
topic: {id: ferries, name: Ferries}
concepts: {ferry: {en: [ferry]}}
figures:
  subject: {en: [passenger*]}
  people: {en: [passenger*]}
  roles:
    rescued: {unit: people, cues: {en: [rescued]}}
    booked: {unit: people, cues: {en: [booked]}}
claims:
  - {id: rescue, statement: Passengers were rescued., phrasings: {en: [saved]}, figures: [rescued]}
"""


def test_another_topic_brings_its_own_roles(finder: Finder) -> None:
    roles = claimsfile.parse(SMALL, "small.yaml").roles
    assert roles is not None
    other = figure_materials.reader(roles, finder)
    found = read(other, "About 40 passengers were rescued; 90 passengers had booked.").figures
    assert [told(f) for f in found] == [("rescued", 40, 40, "about"), ("booked", 90, 90, "exact")]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("figures: [rescued]", "figures: [drowned]", "no role is called 'drowned'"),
        ("unit: people, cues: {en: [rescued]}", "unit: tons, cues: {en: [rescued]}", "no unit is called 'tons'"),
        ("cues: {en: [booked]}", "cues: {en: [booked]}, turns: [lost]", "no role is called 'lost'"),
        ("    rescued:", "    Rescued:", "must be small letters"),
        ("cues: {en: [booked]}", "whole: perhaps, cues: {en: [booked]}", "must be true or false"),
    ],
)
def test_mistakes_in_the_section_are_reported(old: str, new: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        claimsfile.parse(SMALL.replace(old, new), "small.yaml")


def test_roles_keep_their_order_when_stored() -> None:
    roles = claimsfile.parse(SMALL, "small.yaml").roles
    assert roles is not None
    assert Roles.of(json.loads(json.dumps(roles.stored()))) == roles


def test_score_gives_the_figures_of_title_and_text(reader: Figures) -> None:
    published = datetime(2024, 12, 20, 9, tzinfo=UTC).isoformat()
    title = "NIS: 300 North Koreans killed"
    text = "About 2,700 North Korean soldiers were wounded, the NIS said on Thursday, up from 1,000."
    found = figures_of(TextItem(1, title, text, published), reader)
    assert [(f.role, f.low, f.modality, f.attributed_to, f.as_of, f.span) for f in found] == [
        ("killed", 300, "exact", "NIS", "2024-12-20", "300"),
        ("wounded", 2700, "about", "NIS", "2024-12-19", "About 2,700"),
    ]
    assert figures_of(TextItem(2, "", "", "no date"), reader) == ()


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        # an office alone is the one that the text has named, whoever publishes; "its" is the country's named before
        (
            [
                "South Korea's military spoke of North Korean losses on Monday.",
                "The military now counts 210 North Korean dead.",
            ],
            ("killed", 210, ("rok-jcs",)),
        ),
        (
            ["Kyiv disagrees. Its general staff said 640 North Koreans had been wounded."],
            ("wounded", 640, ("ukrainian-general-staff",)),
        ),
        # what lawmakers hear, and whom a sentence opens with
        (["South Korean lawmakers were told that 230 North Koreans had died."], ("killed", 230, ("nis",))),
        (["Austin: 10,400 North Koreans are in the Kursk region."], ("deployed", 10400, ("pentagon",))),
        (["U.S. officials say 420 North Koreans have died."], ("killed", 420, ("officials-us",))),
        # a person is whom the text has named him with, and a name that nobody knows is nobody
        (
            [
                "Petro Hrynko, a spokesman for Ukraine's General Staff, said he had no doubt.",
                "North Korea lost 75 men near the village, Petro Hrynko said.",
            ],
            ("casualties", 75, ("ukrainian-general-staff",)),
        ),
        (
            [
                "The Pentagon confirmed that North Koreans fight in Kursk.",
                "Blue Lantern Group, a website, put North Korean losses at 900.",
            ],
            ("casualties", 900, ()),
        ),
        # of those who are carried on, who is meant
        (
            ["The Pentagon puts North Korean casualties at 3,100.", "The NIS counts no fewer than 3,400."],
            ("casualties", 3400, ("nis",)),
        ),
        # the end of those who were wounded, and the wounded who are moved
        (["Four North Koreans died of their wounds, the SBU said."], ("killed", 4, ("sbu",))),
        (["В госпиталь привезли 120 раненых северокорейцев, сообщили в ГУР."], ("wounded", 120, ("gur",))),
        (["Із шести північнокорейців, узятих у полон, загинули троє, каже ГУР."], ("killed", 3, ("gur",))),
        # a contingent of which nothing else is said, now or to come
        (["There it was at last: 11,300 North Korean troops, the NIS said."], ("deployed", 11300, ("nis",))),
    ],
)
def test_an_article_is_read_as_one(reader: Figures, paragraphs: list[str], expected: tuple[Any, ...]) -> None:
    readings = reader.article("", paragraphs, published=FRIDAY, language=None)
    last = readings[-1].figures[-1]
    assert (last.role, last.low, last.attributed_to) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("North Korea loses 90 soldiers a day in Kursk, Kyiv says.", "by the day"),
        ("북한군 사상자는 하루 평균 92명이라고 국정원이 밝혔다.", "by the day"),
        ("북한군 사망자는 지난달보다 300명 많다고 국정원이 밝혔다.", "difference"),
        ("North Koreans killed 18 Russian officers by mistake.", "other people"),
        ("북한군이 러시아 해병 12명을 사살했다.", "other people"),
        ("Three civilians were killed and 17 hurt when North Korean soldiers opened fire.", "other people"),
    ],
)
def test_numbers_that_are_no_totals_of_the_topic(reader: Figures, text: str, reason: str) -> None:
    found = read(reader, text)
    assert not found.figures
    assert reason in [one.reason for one in found.left_out]


@pytest.mark.parametrize("name", FLOORS)
def test_floors(name: str, reader: Figures, finder: Finder, capsys: pytest.CaptureFixture[str]) -> None:
    kind, _, split = name.partition("/")
    if kind == "newsroom":
        answers = measuring.newsroom(reader, finder, NEWSROOM, split)
    elif kind == "articles":
        answers = measuring.own_articles(reader, finder, ARTICLES, split)
    else:
        answers = measuring.practice(reader, AUTHORITIES if kind == "authorities" else PRACTICE)
    measured = vars(measuring.measure(answers))
    with capsys.disabled():
        print(f"\n{name}: " + ", ".join(f"{key} {measured[key]:.3f}" for key in FLOORS[name]))
    for metric, floor in FLOORS[name].items():
        assert measured[metric] >= floor, (name, metric, measured)
    assert measured["modality"] > measured["modality_baseline"]
    assert measured["attribution"] > measured["attribution_baseline"]
