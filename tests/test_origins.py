"""Whom a report rests on, and who is only mentioned. Sentences are our own."""

from __future__ import annotations

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation import origins as evaluation
from pipeline.logic import originsfile
from pipeline.logic.mentions import Finder
from pipeline.logic.origins import Found, find
from pipeline.logic.speakers import Publisher

LEXICON = ROOT / "claims" / "origins.yaml"
FINDER = Finder(originsfile.parse(LEXICON.read_text(encoding="utf-8"), "claims/origins.yaml"))


def article(title: str, *paragraphs: str, source: str | None = None, **publisher: str) -> Found:
    return find(FINDER, title, paragraphs, source=source, publisher=Publisher(**publisher))


def cited(sentence: str, **publisher: str) -> set[str]:
    """Names of those whom a paragraph cites."""
    found = article("", sentence, **publisher)
    return {FINDER.origins[a.origin_id].name for a in found.paragraphs if a.how not in ("source", "inherited")}


def headlined(title: str) -> set[str]:
    return {FINDER.origins[a.origin_id].name for a in article(title).paragraphs}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # English
        ("About 600 men have fallen, the National Intelligence Service said on Monday.", {"NIS"}),
        ("The NIS told lawmakers that a second group had left.", {"NIS"}),
        ("A second group has left, South Korea's spy agency reported to a committee.", {"NIS"}),
        ("According to Ukraine's military intelligence, two units were mixed.", {"GUR"}),
        ("Two units were mixed, Ukraine's intelligence directorate, GUR, said.", {"GUR"}),
        ("The Pentagon, which counted fewer last week, now says there are more.", {"Pentagon"}),
        ('"We have seen them," said Zelensky.', {"President of Ukraine"}),
        ("The Kremlin and the Russian foreign ministry denied it.", {"Kremlin", "Russian MFA"}),
        ("The reports are false, Moscow said.", {"Russian officials"}),
        ("Several Ukrainian outlets reported it, citing people in Kyiv.", {"Ukrainian media"}),
        ("State media KCNA reported that the treaty is in force.", {"KCNA"}),
        ("A commander told Reuters that nobody had been seen.", {"Reuters"}),
        ("Jane Doe, an analyst at a small institute, said it was a gamble.", {"analysis"}),
        ("A Polish official said the plan was old.", {"Polish officials"}),
        ("Satellite imagery shows a new camp.", {"satellite imagery"}),
        ("The UN secretary general warned of more.", {"UN"}),
        # French
        ("Un millier d’hommes sont arrivés, selon les services de renseignement sud-coréens.", {"NIS"}),
        ("« Nous ne savons rien », a déclaré le Kremlin.", {"Kremlin"}),
        ("D’après l’ONU, les livraisons continuent.", {"UN"}),
        ("Le Pentagone a confirmé leur présence.", {"Pentagon"}),
        # Korean
        ("국가정보원은 5일 병력이 더 이동했다고 밝혔다.", {"NIS"}),
        ("병력이 더 이동했다고 국정원이 5일 밝혔다.", {"NIS"}),
        ("국정원에 따르면 병력이 더 이동했다.", {"NIS"}),
        ("합동참모본부는 북한군이 새 진지를 만들고 있다고 설명했다.", {"ROK JCS"}),
        ("우크라이나 국방정보국은 러시아가 사실을 숨긴다고 주장했다.", {"GUR"}),
        ("러시아 국방부는 보도를 부인했다.", {"Russian MoD"}),
        ("조선중앙통신이 6일 보도했다.", {"KCNA"}),
        ("홍길동 가나대 교수는 “쉽지 않은 일”이라고 말했다.", {"analysis"}),
        # Russian
        ("Это неправда, заявил официальный представитель Кремля.", {"Kremlin"}),
        ("По данным южнокорейской разведки, уехали ещё две бригады.", {"NIS"}),
        ("Об этом сообщило ГУР.", {"GUR"}),
        ("В Пентагоне подтвердили прибытие солдат.", {"Pentagon"}),
        ("В Сеуле накануне заявили о новых потерях.", {"South Korean officials"}),
        ("МИД Китая сообщил, что не знает подробностей.", {"Chinese MFA"}),
        # Ukrainian
        ("За даними ГУР, на полігоні ще дві роти.", {"GUR"}),
        ("Сили спеціальних операцій оприлюднили відео бою.", {"Ukrainian SOF"}),
        ("Президент Володимир Зеленський заявив про втрати.", {"President of Ukraine"}),
        ("Про це повідомили в розвідці Південної Кореї.", {"NIS"}),
        # Japanese
        ("国情院によると、部隊はすでに移動した。", {"NIS"}),
        ("韓国の情報機関は、部隊が移動したと報告した。", {"NIS"}),
        ("部隊が移動したと朝鮮中央通信が7日に伝えた。", {"KCNA"}),
        ("米国防総省は、ウクライナ軍が後退したと発表しました。", {"Pentagon"}),
        # Chinese
        ("据韩国国家情报院透露，又有一批士兵抵达。", {"NIS"}),
        ("乌克兰国防部情报总局表示，两支部队混编。", {"GUR"}),
        ("克里姆林宫发言人否认了这一说法。", {"Kremlin"}),
        ("韩联社报道，部队已经转移。", {"Yonhap"}),
    ],
)
def test_cited(sentence: str, expected: set[str]) -> None:
    assert cited(sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Zelensky met the head of the NIS in Kyiv.",
        "Guards closed the street beside the NIS building.",
        "The Pentagon bought forty thousand shells.",
        "He wrote a book about the Kremlin.",
        "Reporters asked the Kremlin for comment.",
        "The NIS was told nothing.",
        "The Pentagon declined to say how many.",
        "A ship from North Korea reached the port, a docker said.",
        "A shopkeeper in Seoul said prices had risen.",
        "South Korean shipbuilders said they had no berths.",
        "Critics of the Kremlin said they would march.",
        "A bus was hit by the Russian army, neighbours said.",
        'A visitor said: "My uncle worked for the Pentagon."',
        "Kim Jong Un visited a factory.",
        "Un homme a dit bonjour.",  # un is no UN
        "Le bilan de Corée-France est mince.",
        "국정원 청사 앞 도로가 통제됐다.",
        "대통령은 국정원 직원을 만났다.",
        "북한군 3천 명이 쿠르스크로 이동했다.",
        "그는 “국정원은 늘 틀린다”고 썼다.",
        "Он приехал к зданию Пентагона.",
        "Книга о Кремле вышла весной, сказал продавец.",
        "Біля будівлі ГУР перекрили рух.",
        "Книжка про Пентагон вийшла торік, сказав продавець.",
        "国情院の建物の前で道路が閉鎖された。",
        "大統領は国防総省の職員と会った。",
        "五角大楼附近的道路被封闭。",
        "证据韩国国情院已经掌握。",
    ],
)
def test_only_mentioned(sentence: str) -> None:
    assert cited(sentence) == set()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("NIS: more troops on the way", {"NIS"}),
        ("More troops on the way — GUR", {"GUR"}),
        ("Pentagon puts force at ten thousand", {"Pentagon"}),
        ('국정원 "추가 파병 준비"', {"NIS"}),
        ("북한군 또 이동…국정원 공식 확인", {"NIS"}),
        ("北朝鮮兵が前線へ、韓国情報機関", {"NIS"}),
        ("北朝鮮メディア「条約が発効」", {"KCNA"}),
        ("Песков: обсуждать нечего", {"Kremlin"}),
        ("[분석] 그들은 왜 갔나", {"analysis"}),
        ("Opinion | Why they went", {"analysis"}),
        ("China’s new railway opens", set()),
        ("Russia: three villages without power", set()),
        ("'김정은' 이름이 적힌 편지", set()),
        ("EU urged to act", set()),
        ("Paths of Kremlin-watchers", set()),
    ],
)
def test_titles(title: str, expected: set[str]) -> None:
    assert headlined(title) == expected


def test_the_main_origin_and_what_inherits_it() -> None:
    found = article(
        "More soldiers on the way",
        "Another 2,000 men have left, South Korea's National Intelligence Service said on Friday.",
        "Most of them are young. Few have seen a front.",
        "The Kremlin has denied the reports.",
        "Winter begins early there.",
    )
    assert found.main is not None
    assert (found.main.origin_id, found.main.position, found.main.how) == ("nis", None, "cue")
    assert found.main.sentence.startswith("Another 2,000 men")
    assert [(a.position, a.origin_id, a.how) for a in found.paragraphs] == [
        (0, "nis", "inherited"),
        (1, "nis", "cue"),
        (2, "nis", "inherited"),
        (3, "kremlin", "cue"),
        (4, "nis", "inherited"),
    ]
    strengths = {a.how: a.strength for a in found.paragraphs}
    assert strengths["cue"] > strengths["inherited"]


def test_a_remark_at_the_end_is_no_main_origin() -> None:
    found = article(
        "Lions move house", "Two lions have moved.", "They slept.", "They ate.", "An expert said it is rare."
    )
    assert found.main is None
    assert [(a.position, a.origin_id) for a in found.paragraphs] == [(4, "analysis")]


def test_no_origin_at_all() -> None:
    assert article("Lions move house", "Two lions have moved.") == Found(None, ())
    assert article("") == Found(None, ())


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("SEOUL, Dec. 3 (Yonhap) -- Two lions have moved.", "yonhap"),
        ("(서울=연합뉴스) 김기자 기자 = 사자 두 마리가 이사했다.", "yonhap"),
        ("МОСКВА, 3 декабря. /ТАСС/. Два льва переехали.", "tass"),
        ("【ソウル=共同】ライオンが引っ越した。", "kyodo"),
        ("新华社平壤12月3日电 两头狮子搬家了。", "xinhua"),
    ],
)
def test_datelines(paragraph: str, expected: str) -> None:
    found = article("Lions", paragraph)
    assert found.main is not None
    assert (found.main.origin_id, found.main.how) == (expected, "dateline")


def test_whom_an_agency_cites_comes_before_the_agency() -> None:
    found = article("Troops", "SEOUL, Dec. 3 (Yonhap) -- More men have left, the spy agency NIS said.")
    assert [(a.origin_id, a.how) for a in found.paragraphs if a.position == 1] == [("nis", "cue")]
    assert found.main is not None
    assert found.main.origin_id == "nis"


def test_source_and_publisher_where_nobody_is_cited() -> None:
    text = ("Two lions have moved.", "They sleep.")
    by_source = article("Lions", *text, source="Reuters", name="Example Post", kind="newspaper").main
    assert by_source is not None
    assert (by_source.origin_id, by_source.how) == ("reuters", "source")
    state = article("Lions", *text, name="KCNA Watch: KCNA", kind="state").main
    assert state is not None
    assert state.origin_id == "kcna"
    assert article("Lions", *text, name="BBC", kind="broadcaster").main is None, "a paper's own text names nobody"
    ukrainian = article("Lions", *text, name="Interfax-Ukraine", kind="wire", country="UA").main
    assert ukrainian is not None
    assert ukrainian.origin_id == "interfax-ukraine", "two agencies, one of them Russian"
    blog = article("Lions", *text, name="A Blog", kind="blog").main
    assert blog is not None
    assert blog.origin_id == "analysis"


def test_whose_ministry_it_is() -> None:
    """An office without a country is the publisher's, else that of the language."""
    assert cited("The defence ministry said so.", country="KR") == {"ROK MND"}
    assert cited("The defence ministry said so.", country="RU") == {"Russian MoD"}
    assert cited("The defence ministry said so.") == set()
    assert cited("A former Austrian foreign minister said so.", country="RU") == set()
    assert cited("국방부는 5일 밝혔다.") == {"ROK MND"}
    assert cited("미 국방부는 5일 밝혔다.") == {"Pentagon"}
    assert cited("네덜란드 국방부는 5일 밝혔다.") == {"Dutch defence ministry"}
    assert cited("Минобороны сообщило о потерях.") == {"Russian MoD"}
    assert cited("Минобороны сообщило о потерях.", country="UA") == {"Ukrainian defence ministry"}
    assert cited("Президент заявив про втрати.") == {"President of Ukraine"}


def test_what_was_told_to_the_publisher_itself() -> None:
    sentence = "A mechanic told the Kyiv Ledger that he had seen nothing."
    assert cited(sentence, name="Kyiv Ledger") == {"own reporting"}
    assert cited(sentence, name="Another Paper") == set()


def test_a_topic_further_in_is_not_the_speaker() -> None:
    assert cited("국정원은 크렘린궁은 모른다고 판단했다.") == {"NIS"}
    assert cited("国情院は、プーチン氏は知らないと報告した。") == {"NIS"}
    assert cited("국방부는 늘었다고 밝혔고, 통일부는 줄었다고 밝혔다.") == {"ROK MND", "ROK unification ministry"}


@given(st.text(), st.lists(st.text(), max_size=3))
def test_no_text_is_too_strange(title: str, paragraphs: list[str]) -> None:
    found = article(title, *paragraphs)
    for attribution in found.paragraphs:
        assert attribution.origin_id in FINDER.origins
        assert attribution.position is not None
        assert 0 <= attribution.position <= len(paragraphs)


PIECES = st.sampled_from(
    [
        "국정원은 ",
        "밝혔다. ",
        "NIS ",
        "said ",
        "According to ",
        "the Kremlin ",
        "“",
        "”",
        '"',
        ", ",
        "заявил ",
        "Песков ",
        "によると",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_pieces_in_any_order(text: str) -> None:
    found = article(text, text)
    keys = [(a.position, a.origin_id) for a in found.all()]
    assert len(keys) == len(set(keys)), "one row an origin and position"


def test_of_an_endless_sentence_only_the_beginning_is_read() -> None:
    found = article("NIS said, " * 100_000, "According to “ NIS " * 100_000)
    assert all(len(a.sentence) <= 1000 for a in found.all())
    assert {a.origin_id for a in found.all()} == {"nis"}


@pytest.mark.parametrize("split", ["dev", "test"])
def test_floors_on_the_newsroom(split: str) -> None:
    measured = evaluation.measure(evaluation.load(FINDER, ROOT / "pipeline" / "newsroom" / "data", split))
    assert measured.exact > measured.baseline
    for metric, floor in FLOORS_OF[split].items():
        assert getattr(measured, metric) >= floor, (metric, measured)


# Measured values less 0.05: an article or two. Raise them when the rules or the lexicon get better.
FLOORS_OF = {
    "dev": {"precision": 0.88, "recall": 0.85, "exact": 0.86},
    "test": {"precision": 0.63, "recall": 0.54, "exact": 0.59},
}
