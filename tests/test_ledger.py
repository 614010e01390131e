"""The ledger of figures: what a figure is to those before it, and the whole way from evidence to the command."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ROOT, Bench, MovableClock, clone_dsn, make_settings
from desk import CLAIM, HOUR, NOW, Desk
from newsroom_archive import DATA

from pipeline.adapters import charts
from pipeline.adapters.charts import Band
from pipeline.adapters.database import Connection
from pipeline.errors import ConfigurationError
from pipeline.logic import ledger
from pipeline.logic.ledger import Entry
from pipeline.settings import Settings
from pipeline.stages import quoting
from pipeline.stages.origins import sync

DAY = date(2024, 12, 19)
MODALITIES = ("exact", "about", "at_least", "up_to", "over")


def entry(
    low: float,
    high: float | None = None,
    modality: str = "about",
    by: str = "nis",
    *,
    days: int = 0,
    role: str = "killed",
) -> Entry:
    kind = {"nis": "intelligence", "pentagon": "military", "paper": "media"}.get(by, "")
    return Entry(role, low, high or low, modality, DAY + timedelta(days=days), by, by.upper(), kind)


def kinds(new: Entry, *known: Entry) -> list[str]:
    return [event.kind for event in ledger.events(new, known)]


# What a new figure is to those before it


@pytest.mark.parametrize(
    ("modality", "least", "most"),
    [
        ("exact", 100, 200),
        ("about", 85, 230),
        ("at_least", 100, math.inf),
        ("over", 100, math.inf),
        ("up_to", 0, 200),
    ],
)
def test_what_a_figure_can_mean(modality: str, least: float, most: float) -> None:
    assert ledger.bounds(100, 200, modality) == pytest.approx((least, most))


def test_the_first_of_an_official_authority() -> None:
    assert kinds(entry(100)) == ["first_official_figure"]
    assert kinds(entry(100, by="paper")) == []
    assert kinds(entry(90), entry(100, by="paper", days=-1)) == ["first_official_figure"]
    assert "first_official_figure" not in kinds(entry(300, days=9), entry(100))
    assert kinds(entry(100, role="wounded"), entry(100)) == ["first_official_figure"], "each role has its own"


def test_more_than_any_before() -> None:
    known = entry(100, modality="at_least"), entry(200, by="pentagon", days=-30)
    assert kinds(entry(300, days=20), *known) == ["new_maximum"]
    assert kinds(entry(200, days=20), *known) == []
    (event,) = ledger.events(entry(300, modality="at_least", days=20), known)
    assert event.reason == "killed: at least 300 (NIS), more than any before; the most was about 200 (PENTAGON)"


def test_less_than_any_authority_says_now() -> None:
    known = entry(1100), entry(1000, by="pentagon")
    assert kinds(entry(300, by="paper", days=20), *known) == ["new_minimum"]
    assert kinds(entry(900, by="paper", days=20), *known) == [], "about 900 may be about 1,000"
    assert kinds(entry(300, modality="at_least", by="paper", days=20), *known) == [], "at least 300 denies nobody"
    assert kinds(entry(300, by="paper", days=-20), *known) == [], "it has grown since"


def test_authorities_that_can_not_both_be_right() -> None:
    assert kinds(entry(3000, modality="over", by="pentagon", days=1), entry(1100)) == [
        "new_maximum",
        "figures_disagree",
    ]
    assert kinds(entry(1200, by="pentagon", days=1), entry(1100)) == ["new_maximum"]
    assert kinds(entry(3000, by="pentagon", days=9), entry(1100)) == ["new_maximum"], "it may have grown"
    assert "figures_disagree" not in kinds(entry(3000, days=1), entry(1100)), "one authority revises itself"
    # Each authority with its latest word.
    assert "figures_disagree" not in kinds(entry(3000, by="pentagon"), entry(1100), entry(2900, days=1))


def test_figures_of_nobody_say_nothing() -> None:
    assert kinds(entry(9000, by="")) == []
    assert kinds(entry(100), entry(9000, by="")) == ["first_official_figure"]
    assert kinds(entry(100), entry(100)) == [], "told again"


def test_whatever_the_order_a_pair_disagrees_once() -> None:
    one, other = entry(1100), entry(3000, by="pentagon")
    keys = [
        [e.key for e in ledger.events(a, [b]) if e.kind == "figures_disagree"] for a, b in ((one, other), (other, one))
    ]
    assert keys == [["killed/nis/pentagon"]] * 2


def test_what_an_edit_changes() -> None:
    old, new = entry(3000, modality="over"), entry(3000, modality="over", role="casualties")
    assert ledger.replaces(old, old) == 0
    assert ledger.replaces(new, old) == 1
    assert ledger.replaces(entry(200, role="wounded"), old) == 2
    assert ledger.edited(old, old, "The Daily", 7, noted=False) is None
    event = ledger.edited(old, new, "The Daily", 7, noted=False)
    assert event is not None
    assert event.reason == (
        "The Daily changed “killed: over 3,000 (NIS)” to “casualties: over 3,000 (NIS)”, without saying so"
    )
    noted = ledger.edited(old, entry(3000, modality="about"), "The Daily", 7, noted=True)
    assert noted is not None
    assert noted.reason.endswith("to “killed: about 3,000 (NIS)”, saying so")


# From evidence to the ledger


NIS = (
    "About {} North Korean soldiers have been killed in Russia's Kursk region, South Korea's spy agency told lawmakers."
)


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return make_settings(tmp_path, dsn, match={"freshness_days": 7})


@pytest.fixture
def desk(conn: Connection, bench: Bench, clock: MovableClock, tmp_path: Path) -> Desk:
    desk = Desk(conn, bench, clock, tmp_path)
    sync(conn, bench.settings, bench.clock)
    clock.at = NOW
    return desk


def told(desk: Desk, text: str, *, at: datetime = NOW, family: str = "A", story: int | None = None) -> int:
    """A report with this one paragraph, matched and tracked; its article."""
    article = desk.article(at, family, story=story)
    (paragraph,) = desk.version(article, at, text)
    desk.match(paragraph)
    desk.track()
    return article


def shown(
    desk: Desk, columns: str = "role, low::int, modality, authority", where: str = "true"
) -> list[tuple[Any, ...]]:
    query = f"select {columns} from analysis.figures where claim_id = '{CLAIM}' and {where} order by as_of, figure_id"
    return [tuple(r) for r in desk.conn.execute(query)]


def figure_events(desk: Desk) -> list[str]:
    return [kind for kind in desk.kinds() if "figure" in kind or kind in ("new_maximum", "new_minimum")]


def test_a_report_fills_the_ledger(desk: Desk) -> None:
    told(desk, NIS.format("1,100"))
    assert shown(desk) == [("killed", 1100, "about", "NIS")]
    assert shown(desk, "as_of, quote, articles, families") == [(NOW.date(), "About 1,100", 1, 1)]
    assert figure_events(desk) == ["first_official_figure"]
    told(desk, NIS.format("1,500"), at=NOW + 30 * HOUR, family="B")
    assert shown(desk, "low::int, revises_low::int") == [(1100, None), (1500, 1100)]
    assert figure_events(desk) == ["first_official_figure", "new_maximum"]


def test_a_mail_quotes_the_passage_with_the_figure_and_names_the_number_before(desk: Desk) -> None:
    told(desk, NIS.format("1,100"))
    told(desk, NIS.format("1,500"), at=NOW + HOUR, family="B")
    desk.mails()
    article = desk.article(NOW + 2 * HOUR, "C")
    beside, carrying = desk.version(
        article,
        NOW + 2 * HOUR,
        "Moscow denied that 2,000 North Korean soldiers have been killed in Kursk.",
        NIS.format("2,000").replace("About", "At least"),
    )
    desk.match(beside)  # as likely, and first in the article
    desk.match(carrying)
    told(desk, NIS.format("2,000"), at=NOW + 3 * HOUR, family="D")
    assert [(s.told, s.before) for s in quoting.standings(desk.conn, CLAIM)] == [("about 2,000", "about 1,500")]
    (mail,) = desk.mails()
    assert mail.subject.endswith("NIS now says at least 2,000 killed, was about 1,500")
    assert mail.text.index("At least 2,000") < mail.text.index("Moscow denied")


def test_copies_are_folded(desk: Desk) -> None:
    text = NIS.format("1,100")
    told(desk, text)
    story = desk.one("select max(story_id) from ingest.articles")
    for family in "BCD":
        desk.version(desk.article(NOW + HOUR, family, story=story), NOW + HOUR, text)
    told(desk, text + " He spoke in Seoul.", family="E", story=story)
    assert shown(desk, "low::int, articles") == [(1100, 4)]
    assert figure_events(desk) == ["first_official_figure"]


def test_a_rejected_match_takes_its_figures_along(desk: Desk) -> None:
    told(desk, NIS.format("1,100"))
    match = desk.one("select match_id from ingest.matches")
    desk.conn.execute("select analysis.reject_match(%s, 'not this')", [match])
    assert shown(desk) == []


def test_a_claim_has_the_roles_that_its_file_names(desk: Desk) -> None:
    article = desk.article(NOW)
    (paragraph,) = desk.version(article, NOW, NIS.format("1,100"))
    desk.match(paragraph, "desertion")
    desk.track()
    assert desk.one("select count(*) from ingest.figures") == 0


def test_a_silent_edit_of_a_figure(desk: Desk) -> None:
    article = told(desk, NIS.format("1,100"))
    desk.clock.move(hours=5)
    (paragraph,) = desk.version(article, NOW, NIS.format("300"))
    desk.match(paragraph)
    desk.track()
    assert shown(desk, "low::int, corrected_at is null as stands, corrects is null as first") == [
        (1100, False, True),
        (300, True, False),
    ]
    assert desk.reason("figure_edited") == (
        "The A changed “killed: about 1,100 (NIS)” to “killed: about 300 (NIS)”, without saying so"
    )
    # Both can be asked for: what we knew before the edit, and after it.
    known = "select low::int from analysis.figure_range(%s, 'killed', %s, %s)"
    assert [desk.one(known, CLAIM, NOW.date(), NOW + h * HOUR) for h in (1, 6)] == [1100, 300]


def test_a_figure_that_only_we_read_anew_is_no_edit(desk: Desk) -> None:
    """The ledger is put right, and nobody is told that the outlet did it."""
    article = told(desk, NIS.format("1,100"))
    desk.clock.move(hours=5)
    (paragraph,) = desk.version(article, NOW, NIS.format("300"), reextracted=True)
    desk.match(paragraph)
    desk.track()
    assert shown(desk, "low::int, corrected_at is null as stands") == [(1100, False), (300, True)]
    assert "figure_edited" not in figure_events(desk)


def test_the_range_and_who_stands_behind_it(desk: Desk) -> None:
    told(desk, NIS.format("1,100"))
    told(
        desk,
        "More than 3,000 North Korean soldiers have been killed in the Kursk region, the Pentagon said on Friday.",
        at=NOW + HOUR,
        family="B",
    )
    columns = "low::int, low_by, high::int, high_by, authorities, agreed"
    query = f"select {columns} from analysis.figure_range(%s, 'killed', %s, %s)"
    now = datetime(2030, 1, 1, tzinfo=UTC)
    found = desk.conn.execute(query, [CLAIM, NOW.date(), now]).fetchone()
    assert tuple(found) == (1100, "NIS", 3000, "Pentagon", 2, False)
    assert "figures_disagree" in figure_events(desk)
    assert desk.conn.execute(query, [CLAIM, date(2024, 1, 1), now]).fetchone() is None


def test_two_authorities_in_one_report(desk: Desk) -> None:
    text = "The Pentagon put the number of North Korean soldiers killed in Kursk at more than 3,000 on Friday."
    told(desk, f"{NIS.format('1,100')} {text}")
    assert shown(desk) == [("killed", 1100, "about", "NIS"), ("killed", 3000, "over", "Pentagon")]
    assert figure_events(desk) == ["first_official_figure", "new_maximum", "figures_disagree"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The talks went on in Seoul.", [("killed", 900, "about", "Pentagon")]),
        ("The Pentagon said about 900 North Korean soldiers had been killed in Kursk.", []),  # told there, and better
    ],
)
def test_a_title_is_read_for_what_its_text_has_not(desk: Desk, text: str, expected: list[tuple[Any, ...]]) -> None:
    title = "About 900 North Korean soldiers killed in Kursk, Pentagon says"
    (paragraph, _) = desk.version(desk.article(NOW), NOW, title, text)
    desk.conn.execute("update ingest.versions set title = %s", [title])
    desk.conn.execute(
        "update ingest.appearances set position = position - 1, kind = case position when 1 then 'title' else kind end"
    )
    desk.match(paragraph)
    desk.track()
    assert shown(desk) == expected


def test_bounds_are_the_same_in_sql(conn: Connection) -> None:
    for modality in MODALITIES:
        query = "select ingest.figure_low(100, %(m)s)::float8, ingest.figure_high(200, %(m)s)::float8"
        found = conn.execute(query, {"m": modality}).fetchone()
        assert tuple(found) == pytest.approx(ledger.bounds(100, 200, modality))


def test_tracked_twice_a_figure_stands_once(desk: Desk) -> None:
    told(desk, NIS.format("1,100"))
    match = desk.one("select match_id from ingest.matches")
    desk.conn.execute(
        "insert into ingest.work (stage, item_id, host, due_at) values ('track', %s, '', %s)", [match, NOW]
    )
    desk.track()
    assert len(shown(desk)) == 1
    assert figure_events(desk) == ["first_official_figure"]


def test_read_again_by_other_rules_the_former_reading_goes(desk: Desk) -> None:
    told(desk, NIS.format("1,100"))
    desk.conn.execute("update ingest.figures set low = 5, high = 5")
    match = desk.one("select match_id from ingest.matches")
    desk.conn.execute(
        "insert into ingest.work (stage, item_id, host, due_at) values ('track', %s, '', %s)", [match, NOW]
    )
    desk.track()
    assert shown(desk) == [("killed", 1100, "about", "NIS")]


def test_the_analyst_reads_the_ledger(desk: Desk, pg: Any, dsn: str) -> None:
    told(desk, NIS.format("1,100"))
    with psycopg.connect(clone_dsn(dsn, "claimwatch_analyst", pg.password("claimwatch_analyst"))) as analyst:
        assert analyst.execute("select count(*) from analysis.figures").fetchone()[0] == 1
        assert analyst.execute(f"select high_by from analysis.figure_range('{CLAIM}', 'killed')").fetchone()[0] == "NIS"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("select count(*) from ingest.figures")


# The command and its chart


def test_the_command(desk: Desk, command: Any, tmp_path: Path) -> None:
    desk.clock.move(days=30)
    told(desk, NIS.format("1,100"))
    told(desk, NIS.format("1,500"), at=NOW + 30 * HOUR, family="B")
    status, out, _ = command("figures", CLAIM, "--as-of", "2025-02-01", "--known-at", "2025-02-01")
    assert status == 0
    assert "killed: about 1,500 (NIS)" in out
    assert "about 1,500 (was 1,100)" in out
    assert "●" in out
    status, out, _ = command("figures", CLAIM, "--role", "wounded")
    assert (status, "no figure of wounded in its evidence" in out) == (0, True)
    chart = tmp_path / "killed.svg"
    assert command("figures", CLAIM, "--chart", chart, "--as-of", "2025-02-01", "--known-at", "2025-02-01")[0] == 0
    drawn = chart.read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert "NIS" in drawn
    status, _, error = command("figures", "nobody")
    assert (status, "no claim is called 'nobody'" in error) == (2, True)


def test_charts_as_png_and_what_is_none(tmp_path: Path) -> None:
    bands = [Band("killed", "NIS", DAY, 100, 100, 100, math.inf, "at least 100", revised=False)]
    chart = charts.figures(bands, "A claim", DAY + timedelta(days=9))
    charts.save(chart, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigurationError, match=r"written as \.svg or \.png"):
        charts.save(chart, tmp_path / "x.pdf")


# The sample newsroom's sequence


def test_the_numbers_sent_and_killed_by_authority(newsroom_copy: str) -> None:
    """The example in docs/examples.sql on the newsroom's autumn of 2024: every row is a figure that its labels have."""
    labelled: dict[str, set[tuple[str, int, int]]] = defaultdict(set)
    for article in map(json.loads, (DATA / "articles.jsonl").read_text(encoding="utf-8").splitlines()):
        place = f"https://{article['outlet']}.example{article['url_path']}"
        labelled[place] |= {(f["role"], f["low"], f["high"]) for f in article["figures"]}
    written = (ROOT / "docs" / "examples.sql").read_text(encoding="utf-8")
    query = written.split("-- how_many_says_who --")[1].split(";")[0]
    with psycopg.connect(newsroom_copy, row_factory=psycopg.rows.namedtuple_row) as conn:
        found = conn.execute(query.replace("first_reported_at, quote", "first_reported_at, quote, url")).fetchall()
    wrong = [r for r in found if (r.role, int(r.low), int(r.high)) not in labelled[r.url]]
    assert not wrong
    told = {(r.role, r.authority, int(r.low)) for r in found}
    assert {("shipped", "NIS", 1500), ("shipped", "NIS", 3000), ("deployed", "Pentagon", 10000)} <= told
