"""Searches that analysts store in SQL: free text -> vector and words. `listen` waits for them, `answer` does it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import structlog

from pipeline.adapters import database, notifications
from pipeline.adapters.database import Connection, row, rows, vector_rows
from pipeline.errors import ClaimwatchError, PermanentError
from pipeline.logic.searchwords import words
from pipeline.stages import embed
from pipeline.stages.services import Services

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.adapters.encoder import Encoder

log = structlog.get_logger()

CHANNEL = "claimwatch_searches"  # of the trigger in 0014_search.sql
NAME = "claimwatch listen"  # in pg_stat_activity
OWN = "claimwatch search "  # begins the names of searches that the command line asks
BATCH = 32  # searches encoded at a time
IDLE = 2.0  # seconds after which it looks even if nobody has notified: another model may have come into use
PATIENCE = 2.0  # seconds that the command line waits for a listener
BACK_OFF = (0.5, 1.0, 2.0, 5.0)  # seconds before a lost connection is made again
NOTHING_IN_IT = "there is neither a letter nor a digit in it"


@dataclass(frozen=True)
class Query:
    """What is searched for: a vector of halfvec's kind, and words."""

    vector: Any
    words: list[str]


def listen(services: Services, stop: Callable[[], bool] = lambda: False) -> None:
    """Answer searches as they are stored, and at first those that wait, until `stop` says so. A lost connection is made
    again.
    """
    services.encoder.encode(["ready"])  # the model is read now and not when somebody waits
    tries = 0
    while not stop():
        try:
            with services.session() if tries == 0 else database.session(services.settings) as conn:
                tries = 1
                rows(conn, "searches.introduce", name=NAME)
                notifications.subscribe(conn, CHANNEL)
                log.info("listening for searches")
                while not stop():
                    answer(conn, services)
                    notifications.wait(conn, IDLE)
        except (psycopg.OperationalError, ClaimwatchError) as error:
            if tries == 0:
                raise  # it has never worked: somebody has to change something
            log.warning("connection lost", problem=str(error).split("\n")[0])
            time.sleep(BACK_OFF[min(tries, len(BACK_OFF)) - 1])
            tries += 1


def answer(conn: Connection, services: Services) -> int:
    """Make vector and words of every search that waits; how many came to an end, good or bad."""
    ended = 0
    active = row(conn, "models.active")
    if active is None:
        if not rows(conn, "searches.waiting", model_id=0, chunk=1):
            return 0
        embed.model(conn, services)  # the first one becomes active
        active = row(conn, "models.active")
    while waiting := rows(conn, "searches.waiting", model_id=active.model_id, chunk=BATCH):
        encoder = _encoder(services, active)
        if encoder is None:
            log.warning("searches wait: the model in use is not the one in the settings", model=active.name)
            return ended
        for r, found in zip(waiting, _read(encoder, [r.text for r in waiting]), strict=True):
            about = {"search_id": r.search_id, "text": r.text}
            if isinstance(found, str):
                rows(conn, "searches.failed", problem=found, **about)
            else:
                made = {"model_id": active.model_id, "embedding": found.vector, "terms": found.words}
                rows(conn, "searches.ready", **made, **about)
        ended += len(waiting)
        log.info("searches", answered=len(waiting))
    return ended


def _encoder(services: Services, active: Any) -> Encoder | None:
    """One with the weights of the model in use, also while another one's vectors are still being made."""
    encoder = services.encoder
    if encoder.weights_hash == active.weights_hash:
        return encoder
    from pipeline.adapters.encoder import Encoder

    other = Encoder(services.settings.embed.model_copy(update={"model": active.name}))
    try:
        return other if other.weights_hash == active.weights_hash else None
    except ClaimwatchError:
        return None


def _read(encoder: Encoder, texts: list[str]) -> list[Query | str]:
    """What each text is to a search, or why it is nothing. One that the model chokes on does not spoil the others."""
    found: list[Query | str] = [NOTHING_IN_IT] * len(texts)
    good = [i for i, text in enumerate(texts) if words(text)]
    try:
        vectors: list[Any] = list(encoder.encode([texts[i] for i in good])) if good else []
    except Exception:  # whatever a tokenizer or model may raise
        vectors = [_alone(encoder, texts[i]) for i in good]
    for i, vector in zip(good, vectors, strict=True):
        found[i] = vector if isinstance(vector, str) else _query(texts[i], vector)
    return found


def _alone(encoder: Encoder, text: str) -> NDArray[np.float32] | str:
    try:
        vectors = encoder.encode([text])
        return np.asarray(vectors[0], np.float32)
    except Exception as error:
        log.exception("a search that the model can't read")
        return f"the model can't read it ({type(error).__name__})"


def _query(text: str, vector: NDArray[np.float32]) -> Query | str:
    if not np.isfinite(vector).all():
        return "the model makes no vector of it"
    return Query(embed.half(vector), list(dict.fromkeys(words(text))))


def query(conn: Connection, services: Services, text: str) -> Query:
    """What a text is to a search: by a listener, where one is at work, which spares loading the model; else by
    ourselves. Raises PermanentError where nothing can be made of it.
    """
    found = _asked(conn, text) if rows(conn, "searches.listener", name=NAME) else None
    if found is None:
        (found,) = _read(services.encoder, [text])
    if isinstance(found, str):
        raise PermanentError(f"nothing can be searched for with this text: {found}")
    return found


def _asked(conn: Connection, text: str) -> Query | str | None:
    """A listener's answer; None where it does not come in time."""
    rows(conn, "searches.withdraw_old", prefix=OWN)
    try:
        search = row(conn, "searches.ask", name=OWN + secrets.token_hex(8), text=text)
    except (psycopg.errors.CheckViolation, psycopg.errors.ProgramLimitExceeded):
        return None
    deadline = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            if answers := vector_rows(conn, "searches.answer", search_id=search.search_id):
                (made,) = answers
                return made.problem or Query(made.embedding, made.terms)
            time.sleep(0.02)
        return None
    finally:
        rows(conn, "searches.withdraw", search_id=search.search_id)
