"""score and eval: the matcher on texts from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from pipeline.commands.common import FormatOption, load_settings
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings, root
from pipeline.terminal import Format, console, show

ClaimsOption = Annotated[Path | None, typer.Option("--claims", help="The claims file; default claims/nk-russia.yaml.")]


def _claims(path: Path | None) -> Path:
    return path or root() / "claims" / "nk-russia.yaml"


def score(
    items: Annotated[Path, typer.Argument(help="JSON Lines: {id, published, source, lang, url, title, text}.")],
    out: Annotated[
        Path, typer.Option("--out", help="Where to write {id, claim, probability, tier, stance, sentence}.")
    ],
    claims: ClaimsOption = None,
) -> None:
    """Run the matcher on your own texts: one line out for every item and claim. Needs no database."""
    from pipeline.evaluation import score as scoring
    from pipeline.stages.match import load_model, operating_points

    settings = load_settings()
    try:
        given = scoring.read_items(items)
    except OSError as error:
        raise ConfigurationError(f"{items} can't be read: {error}") from error
    if not out.parent.is_dir() or out.is_dir():
        raise ConfigurationError(f"{out} can't be written: there is {'a' if out.is_dir() else 'no'} folder there")
    matcher, encoder = _matcher(settings, _claims(claims))
    with Progress(console=console) as progress:
        task = progress.add_task("scoring", total=len(given))
        scored = scoring.score(
            given,
            matcher,
            encoder,
            operating_points(settings, load_model(settings.match.matcher)),
            lambda n: progress.advance(task, n),
        )
        count = scoring.write(scored, out)
    console.print(f"wrote {count} lines ({len(given)} items, {len(matcher.claims)} claims) to {out}")


def evaluate(
    data: Annotated[Path, typer.Argument(help="A labelled folder: items.jsonl(.gz) and labels.jsonl, or a newsroom.")],
    split: Annotated[str, typer.Option(help="train, validation, test, dev ... as the set has them, or all.")] = "all",
    claims: ClaimsOption = None,
    form: FormatOption = Format.table,
) -> None:
    """Quality of matching on a labelled set, beside the baseline: one sentence a claim, raw cosine, same encoder."""
    from pipeline.evaluation import report

    settings = load_settings()
    matcher, encoder = _matcher(settings, _claims(claims))
    result = report.evaluate(data, split, matcher, encoder)
    columns = ["claim", "positives", "AP", "AP 95 %", "best F1", "recall at P 0.9", "baseline AP"]
    show(columns, result, form, f"{data.name}, split {split}")


def _matcher(settings: Settings, claims: Path):  # type: ignore[no-untyped-def]
    from pipeline.adapters.encoder import Encoder
    from pipeline.adapters.vector_cache import CachedEncoder
    from pipeline.logic import claimsfile
    from pipeline.logic.matching import Matcher, phrases
    from pipeline.stages.match import load_model

    encoder = CachedEncoder(Encoder(settings.embed), settings.home / "vectors.sqlite")
    try:
        content = claims.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"the claims file {claims} can't be read: {error}") from error
    topic = claimsfile.parse(content, str(claims))
    texts = phrases(topic.claims)
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    return Matcher(topic.claims, vectors, load_model(settings.match.matcher)), encoder
