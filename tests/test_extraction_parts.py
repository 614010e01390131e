"""What belongs to an article and what to its site: lines, captions, bylines, datelines, titles, authors."""

# ruff: noqa: E501 (lines of pages)

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.logic import pagebody, pagenames
from pipeline.logic.extraction import extract
from pipeline.model import Document

NOW = datetime(2024, 12, 1, tzinfo=UTC)
URL = "https://www.paper.test/world/troops"
ONE = "The defence ministry said on Friday that the first columns of soldiers had reached the eastern depot."
TWO = "Officials in two capitals confirmed the report, while the embassy did not answer questions about it."
THREE = "A spokeswoman for the general staff declined to name the units, and referred all questions to the ministry."


def read(body: str, head: str = "", title: str = "Troops arrive") -> Document:
    page = f"<html lang=en><head><title>{title}</title>{head}</head><body><article>{body}</article></body></html>"
    return extract(page.encode(), "text/html; charset=utf-8", URL, NOW)


@pytest.mark.parametrize(
    "line",
    [
        "Read more: Five things to know about the depot",
        "Related: The long way east",
        "READ NEXT",
        "Sign up for our daily newsletter and never miss a story",
        "Follow us on Telegram and Facebook",
        "Click here to subscribe to the newsletter",
        "Share on Facebook",
        "(Reporting by Ann Writer and Bo Scribe; editing by Cy Redactor)",
        "Ann Writer in Vienna contributed to this report.",
        "© 2024 The Paper. All rights reserved.",
        "▶ 관련기사 더보기",
        "관련기사",
        "무단전재 및 재배포 금지",
        "Читайте также: Что известно о складе",
        "Подписывайтесь на наш телеграм-канал",
        "Читайте також: Що відомо про склад",
        "Підписуйтесь на наш канал у Telegram",
        "関連記事",
        "【関連記事】東部の倉庫をめぐる経緯",
        "相关阅读：仓库的来历",
        "责任编辑：某某",
        "À lire aussi : Ce que l’on sait du dépôt",
        "Abonnez-vous à notre newsletter",
        "Photo: Ann Writer / The Paper",
        "news@paper.test",
    ],
)
def test_a_line_of_the_site_goes(line: str) -> None:
    assert pagebody.site_lines_out([ONE, line, TWO], ["Troops arrive"]) == [ONE, TWO]


@pytest.mark.parametrize(
    "line",
    [
        "Related claims were made by the embassy, which said that no soldiers had been sent.",
        "Twitter pledged to take action against similar accounts in the future, a spokesman said.",
        "Follow-up talks begin on Monday in the capital.",
        "Share prices fell by a tenth after the report, and the ministry of finance called for calm.",
        "Get out of the city, the governor told its people on Sunday.",
        "More than 10,000 soldiers have arrived, the agency said.",
        "Published reports put the number at 3,000, which the embassy called an invention.",
        "Click chemistry has changed how such fuels are made, two of the engineers said.",
        "사진 속 병사들은 북한군으로 보인다고 국정원이 밝혔다.",
        "Читайте мои заявления внимательно, ответил министр на вопрос о войсках.",
        "“We saw them.”",
    ],
)
def test_a_line_of_news_stays(line: str) -> None:
    assert pagebody.site_lines_out([ONE, line, TWO], ["Troops arrive"]) == [ONE, line, TWO]


def test_links_below_a_heading_go_with_it() -> None:
    lines = [ONE, "READ NEXT", "Five things about the depot", "The long way east", TWO]
    assert pagebody.site_lines_out(lines, []) == [ONE, TWO]


def test_captions_boxes_and_links_are_out_lists_quotes_and_tweets_in() -> None:
    got = read(
        f"<h1>Troops arrive</h1><p>{ONE}</p><figure><img src=a.jpg><figcaption>Soldiers at the depot.</figcaption></figure>"
        '<div class="wp-caption"><p class="wp-caption-text">A column seen from the air</p></div>'
        "<p><a href=/x>WHAT WE KNOW ABOUT THE DEPOT AND ITS GUARDS</a></p>"
        f"<ul><li>First, they came by rail.</li><li>Then they waited.</li></ul><blockquote>“We saw them.”</blockquote><p>{TWO}</p>"
        '<div class="embed"><blockquote class="twitter-tweet"><p>Our units are where they should be, and nowhere else.</p>'
        f"— General Staff (@staff) <a href=#>May 1</a></blockquote></div><p>{THREE}</p>"
        "<ul><li><a href=/1>Five things to know about it</a></li><li><a href=/2>The long way to the east</a></li></ul>"
    )
    assert got.paragraphs == (
        ONE,
        "First, they came by rail.",
        "Then they waited.",
        "“We saw them.”",
        TWO,
        *(line for line in got.paragraphs if "Our units" in line or "General Staff" in line),
        THREE,
    )
    assert any("Our units are where they should be" in line for line in got.paragraphs)


def test_paragraphs_between_breaks_and_in_a_layout_table() -> None:
    assert read(f"<div>{ONE}<br><br>{TWO}<br><br>{THREE}</div>").paragraphs == (ONE, TWO, THREE)
    table = f"<table><tr><td><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p></td><td>Menu</td></tr></table>"
    assert read(table).paragraphs[:3] == (ONE, TWO, THREE)


def test_a_byline_names_the_author_and_goes() -> None:
    got = read(f"<h1>Troops arrive</h1><p>By Ann Writer and Bo Scribe</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p>")
    assert got.authors == ("Ann Writer", "Bo Scribe")
    assert got.paragraphs == (ONE, TWO, THREE)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("By Ann Writer and Bo Scribe", ("Ann Writer", "Bo Scribe")),
        ("Ann Writer, Staff Writer", ("Ann Writer",)),
        ("홍길동 기자 hong@paper.test", ("홍길동",)),
        ("홍길동·김철수 특파원", ("홍길동", "김철수")),
        ("Автор: Иван Петров", ("Иван Петров",)),
        ("Олена Коваль та Іван Бойко", ("Олена Коваль", "Іван Бойко")),
        ("山田太郎記者", ("山田太郎",)),
        ("Par Anne Dubois et Luc Martin", ("Anne Dubois", "Luc Martin")),
        ("ANN WRITER", ("Ann Writer",)),
        ("The Paper", ()),
        ("admin", ()),
        ("newsroom@paper.test", ()),
        ("https://www.facebook.com/paper", ()),
        ("Ann Writer; Ann Writer", ("Ann Writer",)),
    ],
)
def test_authors(told: str, expected: tuple[str, ...]) -> None:
    assert pagenames.names_of([told], "The Paper", URL) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SEOUL, Oct 18 (Agency) - South Korea said", "SEOUL, Oct 18 (Agency)"),
        ("WASHINGTON (AP) — Officials said", "WASHINGTON (AP)"),
        ("Kyiv (Agency) - Officials said", "Kyiv (Agency)"),
        ("(서울=통신) 홍길동 기자 = 국방부는", "(서울=통신) 홍길동 기자 ="),
        ("МОСКВА, 18 октября. /АГЕНТСТВО/. Министр", "МОСКВА, 18 октября. /АГЕНТСТВО/."),
        ("【ソウル共同】韓国の", "【ソウル共同】"),
        ("新华社首尔10月18日电 韩国", "新华社首尔10月18日电"),
        ("The ministry said on Friday - as before - that", None),
        ("NATO allies met", None),
    ],
)
def test_datelines(line: str, expected: str | None) -> None:
    assert pagenames.dateline(line) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Troops arrive | The Paper", "Troops arrive"),
        ("Troops arrive - World - The Paper", "Troops arrive - World"),
        ("The Paper: Troops arrive", "Troops arrive"),
        ("Analysis: troops arrive", "Analysis: troops arrive"),
        ("The Paper view on troops: a test", "The Paper view on troops: a test"),
        ("Troops &amp; trains", "Troops & trains"),
    ],
)
def test_titles(title: str, expected: str) -> None:
    got = read(f"<p>{ONE}</p><p>{TWO}</p><p>{THREE}</p>", '<meta property="og:site_name" content="The Paper">', title)
    assert got.title == expected
    assert got.site_name == "The Paper"


def test_the_precision_of_a_date() -> None:
    body = f"<p>{ONE}</p><p>{TWO}</p>"
    assert read(body, '<meta property="article:published_time" content="2024-11-01T09:30:00Z">').precision == "time"
    assert read(body, '<meta property="article:published_time" content="2024-11-01">').precision == "day"
    assert read(body).precision is None


def test_the_text_for_search_engines_stands_in_where_the_page_has_none() -> None:
    body = "\\n\\n".join([ONE, TWO, THREE] * 2)
    data = f'{{"@type": "NewsArticle", "headline": "Troops arrive", "articleBody": "{body}"}}'
    got = read("<p>Loading the page, one moment.</p>", f'<script type="application/ld+json">{data}</script>')
    assert got.setting == "json-ld"
    assert got.paragraphs[:3] == (ONE, TWO, THREE)
