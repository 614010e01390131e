"""The sample newsroom's labels, and what they say of mails; used by replay_alerts.py, whose head has the rules."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.logic.news import by_weight
from pipeline.newsroom.content import Content
from pipeline.stages.quoting import event_of

QUOTED = 3  # pieces of evidence that a mail quotes
QUIET = timedelta(days=7)  # without a labelled event, after which the next is first coverage again


@dataclass(frozen=True)
class Label:
    """What the newsroom says of one article: stances by claim, figures, and the event that it reports."""

    article: str
    published: datetime
    family: str
    event: str  # the least id of the articles that report it
    wire: str  # the id of what it copies, itself included
    stances: dict[str, frozenset[str]]
    figures: tuple[tuple[str, float, float], ...]


@dataclass
class Mail:
    """A mail that was sent, with what it tells and how that was judged."""

    alert_id: int
    claim: str
    sent_at: datetime
    subject: str
    events: list[Any]
    articles: dict[int, list[str]] = field(default_factory=dict)  # by story, the newsroom's ids
    quoted: dict[int, set[str]] = field(default_factory=dict)  # by story, the stances of the evidence that is quoted
    published: datetime | None = None
    right: bool = False
    why: str = ""


def read_labels(folder: Path, content: Content) -> dict[str, Label]:
    """By article id; later versions of an article belong to its first."""
    rows = [json.loads(line) for line in (folder / "articles.jsonl").read_text(encoding="utf-8").splitlines()]
    by_id = {row["id"]: row for row in rows}
    families = {outlet.slug: outlet.family for outlet in content.outlets}

    def wire(row: dict[str, Any]) -> str:
        while row["syndicated_from"] or row["edited_from"]:
            row = by_id[row["syndicated_from"] or row["edited_from"]]
        return str(row["id"])

    labels = {}
    for row in rows:
        if row["edited_from"]:
            continue
        versions = [row, *(other for other in rows if other["edited_from"] == row["id"])]
        source = wire(row)
        stances = defaultdict(set)
        for label in (label for version in versions for label in version["labels"]):
            stances[label["claim"]].add(label["stance"])
        figures = {(f["role"], float(f["low"]), float(f["high"])) for version in versions for f in version["figures"]}
        labels[row["id"]] = Label(
            row["id"],
            datetime.fromisoformat(row["published"]).astimezone(UTC),
            families[row["outlet"]],
            min([source, *by_id[source]["same_event_as"]]),
            source,
            {claim: frozenset(found) for claim, found in stances.items()},
            tuple(sorted(figures)),
        )
    return labels


@dataclass(frozen=True)
class Expected:
    """What a reader should have been told."""

    claim: str
    kind: str  # first coverage or contradiction
    event: str
    at: datetime
    stances: frozenset[str] = frozenset()  # of a contradiction: those that another family had taken the other side of


def expected(labels: dict[str, Label], until: datetime) -> list[Expected]:
    found = []
    for claim in sorted({claim for label in labels.values() for claim in label.stances}):
        events: dict[str, list[Label]] = defaultdict(list)
        for label in sorted(labels.values(), key=lambda one: one.published):
            if label.stances.get(claim, frozenset()) & {"supports", "refutes"} and label.published < until:
                events[label.event].append(label)
        last: datetime | None = None
        said: dict[str, set[str]] = {"supports": set(), "refutes": set()}
        turned: Expected | None = None
        for event, reports in events.items():
            first = reports[0]
            if last is None or first.published - last >= QUIET:
                found.append(Expected(claim, "first coverage", event, first.published))
            last = max(report.published for report in reports)
            for report in reports:
                new = {
                    stance
                    for stance, other in (("refutes", "supports"), ("supports", "refutes"))
                    if stance in report.stances[claim] and said[other] - {report.family}
                }
                if new and turned is None:
                    turned = Expected(claim, "contradiction", event, report.published, frozenset(new))
                    found.append(turned)
                for stance in report.stances[claim] & said.keys():
                    said[stance].add(report.family)
    return found


def mails(conn: Connection, content: Content) -> list[Mail]:
    """Every alert that was sent, in that order."""
    ids = {article.url: article.id for article in content.articles}
    sent = conn.execute(
        "select alert_id, claim_id, sent_at, subject from ingest.alerts where state = 'sent' order by sent_at, alert_id"
    ).fetchall()
    found = []
    for row in sent:
        events = database.rows(conn, "alerts.told", alert_id=row.alert_id)
        mail = Mail(row.alert_id, row.claim_id, row.sent_at, row.subject, events)
        for story in {event.story_id for event in events if event.story_id}:
            urls = conn.execute(
                "select url from ingest.articles where story_id = %s and first_seen_at <= %s order by first_seen_at",
                [story, row.sent_at],
            ).fetchall()
            mail.articles[story] = [ids[url] for (url,) in urls if url in ids]
            quoted = database.rows(conn, "alerts.evidence", claim_id=row.claim_id, story_ids=[story])
            best = list(dict.fromkeys((r.match_id, r.stance) for r in quoted))[:QUOTED]
            mail.quoted[story] = {stance for _, stance in best}
        found.append(mail)
    return found


def judge(mail: Mail, labels: dict[str, Label], content: Content) -> None:
    """Whether what a mail leads with is true."""
    lead = by_weight([event_of(row) for row in mail.events])[0]
    row = next(r for r in mail.events if (r.kind, r.event_key) == (lead.kind, lead.key))
    reports = [labels[name] for name in mail.articles.get(row.story_id, [])]
    labelled = [r for r in reports if mail.claim in r.stances]
    mail.published = min((r.published for r in reports), default=None)
    stances = {stance for r in labelled for stance in r.stances[mail.claim]}
    evidence = {"supports", "refutes"}
    mail.why = f"{lead.kind}: " + (f"labelled {', '.join(sorted(stances))}" if stances else "no label")
    match lead.kind:
        case "first_seen":
            mine = {r.event for r in labelled}
            before = [
                one
                for one in labels.values()
                if one.stances.get(mail.claim, frozenset()) & evidence
                and one.event not in mine
                and labelled
                and one.published < labelled[0].published
            ]
            mail.right = bool(labelled) and not before
            mail.why += f", but {before[0].article} was before" if before else ""
        case "contradiction":
            stance = lead.key.split("/")[1]
            mail.right = stance in stances
        case "new_maximum" | "new_minimum" | "first_official_figure":
            role, *rest = lead.key.split("/")
            heights = {
                high if lead.kind == "new_maximum" else low for r in reports for f, low, high in r.figures if f == role
            }
            mail.right = bool(heights) and (not rest or float(rest[0]) in heights)
            mail.why += f"; {role} labelled {sorted(heights)}"
        case "edited" | "figure_edited":
            mail.right = any(
                len(article.versions) > 1 for article in content.articles if article.id in {r.article for r in reports}
            )
        case "silence":
            mail.right = True  # that nothing was published is what makes it; checked below
            since = max(
                (
                    one.published
                    for one in labels.values()
                    if mail.claim in one.stances and one.published < mail.sent_at
                ),
                default=mail.sent_at,
            )
            mail.right = mail.sent_at - since >= timedelta(days=3)
        case "surge":
            day = {
                one.event
                for one in labels.values()
                if mail.claim in one.stances
                and timedelta(0) <= mail.sent_at - one.published <= timedelta(days=1, hours=1)
            }
            mail.right = bool(labelled) and len(day) >= 3
        case _:
            mail.right = bool(labelled)


def told(want: Expected, sent: Sequence[Mail], labels: dict[str, Label], *, by_name: bool = False) -> bool:
    """Whether a mail told it. `by_name`: of a contradiction, only where the mail calls it one."""
    for mail in sent:
        if mail.claim != want.claim:
            continue
        named = {e.event_key.split("/")[1] for e in mail.events if e.kind == "contradiction"}
        for story, names in mail.articles.items():
            said = named if by_name else named | mail.quoted[story]
            if any(labels[name].event == want.event for name in names) and (not want.stances or want.stances & said):
                return True
    return False


def copies_mailed(sent: Sequence[Mail], labels: dict[str, Label]) -> list[str]:
    """Mails on a claim that tell coverage of a wire story that an earlier one had told."""
    known: set[tuple[str, str]] = set()
    found = []
    for mail in sent:
        coverage = {
            e.story_id for e in mail.events if e.kind in ("first_seen", "fresh_coverage", "new_origin", "surge")
        }
        wires = {(mail.claim, labels[name].wire) for story in coverage for name in mail.articles.get(story, [])}
        found += [mail.subject] if wires & known else []
        known |= wires
    return found
