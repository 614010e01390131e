"""score and eval: the matcher on texts from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from pipeline.commands.common import FormatOption, load_settings
from pipeline.errors import ConfigurationError, PermanentError
from pipeline.settings import Settings, root
from pipeline.terminal import Format, console, show

ClaimsOption = Annotated[Path | None, typer.Option("--claims", help="The claims file; default claims/nk-russia.yaml.")]


def _claims(path: Path | None) -> Path:
    return path or root() / "claims" / "nk-russia.yaml"


def score(
    items: Annotated[Path, typer.Argument(help="JSON Lines: {id, published, source, lang, url, title, text}.")],
    out: Annotated[
        Path, typer.Option("--out", help="Where to write {id, claim, probability, tier, stance, sentence, figures}.")
    ],
    claims: ClaimsOption = None,
) -> None:
    """Run the matcher on your own texts: one line out for every item and claim. Needs no database."""
    from pipeline.evaluation import score as scoring
    from pipeline.stages import figure_materials
    from pipeline.stages.match import tiers_of
    from pipeline.stages.services import Services

    settings = load_settings()
    try:
        given = scoring.read_items(items)
    except OSError as error:
        raise ConfigurationError(f"{items} can't be read: {error}") from error
    if not out.parent.is_dir() or out.is_dir():
        raise ConfigurationError(f"{out} can't be written: there is {'a' if out.is_dir() else 'no'} folder there")
    matcher, encoder = _matcher(settings, _claims(claims))
    tiers, entailment = tiers_of(settings), Services(settings).entailment
    reader = figure_materials.reader_of(matcher.claims, settings)
    with Progress(console=console) as progress:
        task = progress.add_task("scoring", total=len(given))
        advance = lambda n: progress.advance(task, n)  # noqa: E731
        scored = scoring.score(given, matcher, encoder, tiers, advance, entailment, reader)
        count = scoring.write(scored, out)
    console.print(f"wrote {count} lines ({len(given)} items, {len(matcher.claims)} claims) to {out}")


def evaluate(
    data: Annotated[Path, typer.Argument(help="A labelled folder: items.jsonl(.gz) and labels.jsonl, or a newsroom.")],
    split: Annotated[str, typer.Option(help="train, validation, test, dev ... as the set has them, or all.")] = "all",
    claims: ClaimsOption = None,
    errors: Annotated[int, typer.Option(help="Show so many of the worst false alarms and misses, for reading.")] = 0,
    form: FormatOption = Format.table,
) -> None:
    """Quality of matching on a labelled set, beside the baseline: one sentence a claim, raw cosine, same encoder.

    Ranking by claim and language with bootstrap intervals over items, the operating points, calibration and stance.
    With --format json or csv the ranking alone is printed, or with --errors the errors alone.
    """
    from pipeline.evaluation import datasets, pairs, report
    from pipeline.stages.match import tiers_of
    from pipeline.stages.services import Services

    settings = load_settings()
    matcher, encoder = _matcher(settings, _claims(claims))
    measured = pairs.measure(datasets.load(data, split), matcher, encoder)
    name = f"{data.name}, split {split}"
    if form is not Format.table:
        columns, lines = (report.ERRORS, report.errors(measured, errors)) if errors else (report.RANKING, None)
        show(list(columns), lines or report.ranking(measured), form, name)
        return
    show(list(report.RANKING), report.ranking(measured), form, name)
    show(list(report.POINTS), report.operating_points(measured), form, "operating points")
    stances, quality = report.stances(measured, tiers_of(settings), Services(settings).entailment)
    show(list(report.STANCE), stances, form, "stance of the true evidence")
    console.print("stance: " + ", ".join(f"{key.replace('_', ' ')} {value:.2f}" for key, value in quality.items()))
    gap, count = report.calibration(measured)
    console.print(f"calibration error {gap:.3f} over {count} pairs with a probability of 0.1 or more")
    if errors:
        show(list(report.ERRORS), report.errors(measured, errors), form, "worst errors")


def calibrate(
    sets: Annotated[
        list[str],
        typer.Argument(help="Labelled folders to learn from: FOLDER[:SPLIT[:WEIGHT]], e.g. data/stream:train:4."),
    ],
    held: Annotated[
        list[str], typer.Option("--held", help="Folders that decide whether the new model is taken: FOLDER[:SPLIT].")
    ],
    claims: ClaimsOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the model there. Default: the home's matcher.json, which is used at once."),
    ] = None,
    version: Annotated[str | None, typer.Option(help="Its name; default the date and time.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take the model even if it is worse on the held sets.")
    ] = False,
) -> None:
    """Train the decision model anew from labels, and take it if it is not worse on sets that it has not seen.

    Reviews become labels by `claimwatch review export FOLDER`. The model before is kept beside the new one, with its
    version in the name.
    """
    from pipeline.evaluation import calibrating

    settings = load_settings()
    result = calibrating.calibrate(
        settings, _claims(claims), sets, held, out or settings.home / "matcher.json", version, force=force
    )
    show(["held set", "average precision before", "after"], result.lines, Format.table, f"matcher {result.version}")
    if not result.taken:
        raise PermanentError("the new model is worse on the held sets and was not taken; --force takes it anyway")
    console.print(f"wrote {result.path}; the model before: {result.kept or 'none'}")


def _matcher(settings: Settings, claims: Path):  # type: ignore[no-untyped-def]
    from pipeline.adapters.encoder import Encoder
    from pipeline.adapters.vector_cache import CachedEncoder
    from pipeline.stages import materials

    encoder = CachedEncoder(Encoder(settings.embed), settings.home / "vectors.sqlite")
    return materials.load(settings).matcher(materials.claims_of(claims), encoder.encode), encoder
