"""review: an analyst says yes or no to a match, and that becomes a label."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.adapters.database import row, rows
from pipeline.commands.common import FormatOption, opened, said_by_the_database
from pipeline.errors import ConfigurationError
from pipeline.terminal import Format, console, show

review_app = typer.Typer(
    help="Confirm or reject matches. A yes counts and is told like any evidence, a no counts nowhere, and both are "
    "labels to train on.",
    no_args_is_help=True,
)

MatchArgument = Annotated[list[int], typer.Argument(help="Numbers of matches, as `review list` shows them.")]
NoteOption = Annotated[str | None, typer.Option(help="Why, for whoever reads the label later.")]
AsOption = Annotated[str | None, typer.Option("--as", help="Who says so; the database's role by default.")]
ClaimOption = Annotated[str | None, typer.Option("--claim", help="Only this claim.")]
LIMIT = 20


@review_app.command("list")
def review_list(
    claim: ClaimOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = LIMIT,
    done: Annotated[bool, typer.Option("--done", help="Reviews that were given, instead of what waits.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """What waits for a yes or no: suggested matches, one a claim and story, the most telling first.

    The most telling are those nearest to the point where the matcher accepts: a verdict there moves it most. Each
    comes with the sentence that the matcher went by, its estimated probability, and what that rests on.
    """
    with opened() as (_, conn):
        if done:
            given = ["match_id", "claim_id", "verdict", "stance", "reviewer", "at", "sentence", "note"]
            found = rows(conn, "reviews.given", claim_id=claim, limit=limit)
            show(given, [[getattr(r, c) for c in given] for r in found], form)
            return
        waiting = rows(conn, "reviews.queue", claim_id=claim, limit=limit)
        if form is Format.table:
            lines = [[r.match_id, r.claim_id, r.probability, _at_length(r)] for r in waiting]
            show(["match", "claim", "probability", "sentence, and why"], lines, form)
            return
        columns = ["match", "claim", "probability", "stance", "sentence", "why", "publisher", "published", "url"]
        plain = [
            [
                *(r.match_id, r.claim_id, r.probability, r.stance, r.sentence, r.why or ""),
                *(r.publisher, r.published_at, r.url),
            ]
            for r in waiting
        ]
        show(columns, plain, form)


@review_app.command("confirm")
def review_confirm(
    matches: MatchArgument,
    stance: Annotated[
        str | None, typer.Option(help="supports, refutes or updates, where the matcher has it wrong.")
    ] = None,
    note: NoteOption = None,
    by: AsOption = None,
) -> None:
    """Yes: the paragraph bears on the claim.

    A suggested match becomes accepted and goes through `track` like any other: what it tells is fresh as of now. The
    verdict holds for later matches of the same claim and paragraph too, by whatever matcher.
    """
    _review(matches, "confirmed", stance, note, by)


@review_app.command("reject")
def review_reject(matches: MatchArgument, note: NoteOption = None, by: AsOption = None) -> None:
    """No: the paragraph does not bear on the claim.

    It counts as evidence no more, in no view and no later mail. What was mailed before stays on record, and so does
    the time of the rejection.
    """
    _review(matches, "rejected", None, note, by)


@review_app.command("withdraw")
def review_withdraw(matches: MatchArgument, note: NoteOption = None, by: AsOption = None) -> None:
    """Take a review back: the matcher's own word counts again, and the pair is no label."""
    _review(matches, "withdrawn", None, note, by)


@review_app.command("export")
def review_export(
    out: Annotated[Path, typer.Option("--out", help="labels.jsonl in a folder of its own, or that folder.")],
) -> None:
    """Write the reviews in force as a labelled set, for `claimwatch eval FOLDER` and for training.

    Two files: labels.jsonl, and items.jsonl with the texts beside it. A confirmed claim is direct, with its stance; a
    rejected one is a negative; claims that nobody has looked at are left out of the count (related).
    """
    from pipeline.logic.labels import Reviewed, labelled

    folder = out.parent if out.suffix else out
    if out.suffix and out.name != "labels.jsonl":
        raise ConfigurationError(f"{out}: the file has to be called labels.jsonl, the other one is items.jsonl")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder} can't be written to: {error}") from error
    with opened() as (_, conn):
        claims = [r.claim_id for r in rows(conn, "reviews.claims")]
        made = labelled((Reviewed(*r) for r in rows(conn, "reviews.labels")), claims)
    _write(folder / "items.jsonl", made.items)
    _write(folder / "labels.jsonl", made.labels)
    confirmed = sum(len(line["direct"]) for line in made.labels)
    rejected = sum(len(claims) - len(line["related"]) for line in made.labels) - confirmed
    console.print(
        f"wrote {len(made.items)} texts with {confirmed} confirmed and {rejected} rejected pairs to {folder}",
        soft_wrap=True,
    )


def _review(matches: list[int], verdict: str, stance: str | None, note: str | None, by: str | None) -> None:
    """All of them or none."""
    if by is not None and not by.strip():
        raise ConfigurationError("--as needs a name")
    with opened() as (services, conn):
        with said_by_the_database(), conn.transaction():
            for match_id in matches:
                values = {"match_id": match_id, "verdict": verdict, "stance": stance, "note": note, "reviewer": by}
                row(conn, "reviews.add", now=services.clock.now(), **values)
        for match_id in matches:
            now = row(conn, "reviews.match", match_id=match_id)
            console.print(f"{match_id} {verdict}: {now.claim_id}, now {now.tier}, {now.stance}", soft_wrap=True)


def _at_length(waiting: Any) -> str:
    where = f"{waiting.publisher}, {waiting.published_at:%Y-%m-%d}, {waiting.language or '?'}"
    return f"{waiting.sentence}\n{waiting.stance}: {waiting.why or 'no reason kept'}\n{where}\n"


def _write(file: Path, lines: Iterable[dict[str, Any]]) -> None:
    """One JSON object a line; the file is replaced in one step."""
    part = file.with_name(file.name + ".part")
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    part.write_text(text, encoding="utf-8")
    part.replace(file)
