"""quoting: rows of events, evidence and figures as the values that messages tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, Protocol

from pipeline.adapters.database import Connection, rows
from pipeline.clock import Clock
from pipeline.logic import ledger
from pipeline.logic.links import Links
from pipeline.logic.mail import Evidence, Quantity, Report, Standing
from pipeline.logic.tracking import Event
from pipeline.settings import Settings


class Deps(Protocol):
    """What a message's words are made with."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def links(self) -> Links: ...


def event_of(found: Any) -> Event:
    return Event(found.kind, found.event_key, found.reason or "", found.headline or "")


def title_of(found: Any) -> str:
    """The claim in a few words: its title, else its short name written out."""
    words = str(found.title or found.claim_id.replace("-", " "))
    return words[:1].upper() + words[1:]


def standings(conn: Connection, claim_id: str) -> list[Standing]:
    """What each authority says of how many, as it stands."""

    def told(low: Any, high: Any, modality: str | None) -> str | None:
        return None if modality is None else ledger.quantity(float(low), float(high), modality)

    return [
        Standing(
            r.name,
            r.role,
            told(r.low, r.high, r.modality) or "",
            r.as_of,
            told(r.low_before, r.high_before, r.modality_before),
        )
        for r in rows(conn, "alerts.standing", claim_id=claim_id)
    ]


def evidence_of(found: Iterable[Any], deps: Deps, alert: Any) -> list[Evidence]:
    """Rows of alerts.evidence, one an appearance, as evidence with its reports."""
    expires = deps.clock.now() + timedelta(days=deps.settings.alerts.link_days)
    evidence = []
    for _, group in groupby(found, key=lambda r: (r.story_id, r.match_id)):
        same = list(group)
        best = same[0]
        confirm, reject = (
            deps.links.verdict(best.match_id, verdict, alert.email, expires) for verdict in ("confirmed", "rejected")
        )
        evidence.append(
            Evidence(
                best.sentence,
                best.paragraph,
                best.stance,
                best.probability,
                _reports(same, deps.links),
                tuple(dict.fromkeys(origin for r in same for origin in r.origins)),
                tuple(dict.fromkeys(origin for r in same for origin in r.origin_ids)),
                tuple(dict.fromkeys(Quantity(*figure) for r in same for figure in r.figures)),
                why=best.why,
                precision=best.precision,
                labels=best.labels,
                confirmed=best.confirmed,
                confirm=None if best.confirmed else confirm,
                reject=reject,
            )
        )
    return evidence


def _reports(same: Sequence[Any], links: Links) -> list[Report]:
    """Every article that carries a paragraph, each once, the first first."""
    reports = {
        r.url: Report(
            r.publisher,
            r.country,
            r.language,
            r.title,
            r.url,
            r.published_at,
            r.source == "entry",
            links.page(f"/articles/{r.article_id}?version={r.version_id}"),
        )
        for r in reversed(same)
    }
    return sorted(reports.values(), key=lambda report: report.published)
