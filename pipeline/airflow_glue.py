"""The one place where tasks meet the pipeline: each task of dags/ makes one call here.

Nothing heavy is imported before a task runs: the scheduler parses DAG files all day. What goes back to Airflow are
counts; the queue in Postgres says what is to be done, and an asset event only wakes the next DAG sooner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from pipeline import settings as settings_module
from pipeline.errors import ConfigurationError
from pipeline.settings import MailSettings, Settings

if TYPE_CHECKING:
    from pipeline.stages.services import Services

PARAGRAPHS = Asset("claimwatch://paragraphs")  # there are embedded paragraphs to match
EVENTS = Asset("claimwatch://alerts")  # there are alerts to send

# A failed task is tried again at once-ish; what it had leased is free again after the lease anyway.
DEFAULT_ARGS = {"owner": "claimwatch", "retries": 2, "retry_delay": timedelta(seconds=30)}
MAPPED_FILES = 500  # mapped tasks of a backfill; a scheduler grows slow beyond some hundreds
TASK_SECONDS = 600.0  # a task stops taking batches after this; the next run goes on


def load_settings() -> Settings:
    return settings_module.load()


def cron(line: str) -> CronTriggerTimetable:
    return CronTriggerTimetable(line, timezone="UTC")


def asset_or_cron(asset: Asset, line: str) -> AssetOrTimeSchedule:
    """Woken by the asset, and by the clock in case its event was lost."""
    return AssetOrTimeSchedule(timetable=cron(line), assets=[asset])


def run_stage(stage: str, shard: int = 0, wakes: str | Sequence[str] = ()) -> dict[str, int]:
    """Run a stage until nothing is due. `wakes` names the stages that the task's asset wakes: the task is shown
    as skipped, and sends no event, where none of them has anything to do.
    """
    from pipeline.logging import configure
    from pipeline.stages.services import Services, due, run_stage

    settings = load_settings()
    configure(settings.log_format)
    if stage == "notify" and settings.mail.connection is not None:
        settings = settings.model_copy(update={"mail": mail_by_connection(settings)})
    services = Services(settings)
    with services.session() as conn:
        shards = settings.schedule.shards
        report = run_stage(conn, services, stage, shard=shard, shards=shards, seconds=TASK_SECONDS)
        woken = [wakes] if isinstance(wakes, str) else wakes
        if woken and not any(due(conn, services, name) for name in woken):
            raise AirflowSkipException(f"{stage}: {report.claimed} items, nothing for {' or '.join(woken)}")
    return {"claimed": report.claimed, **report.outcomes}


def mail_by_connection(settings: Settings) -> MailSettings:
    """The mail settings with the server and login of the Airflow connection that they name."""
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from pipeline.logic.smtpconnection import SmtpConnection, mail_settings

    name = str(settings.mail.connection)
    try:
        found = Connection.get(name)
    except AirflowNotFoundException as error:
        raise AirflowFailException(
            f"[mail] connection names {name!r}, and Airflow has no such connection: add it on its page (Admin, "
            f"Connections, type SMTP) or as AIRFLOW_CONN_{name.upper()}"
        ) from error
    given = SmtpConnection(
        name, found.conn_type or "", found.host, found.port, found.login, found.password, found.extra_dejson
    )
    try:
        return mail_settings(settings.mail, given)
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from error  # trying again would not help


def maintain() -> dict[str, Any]:
    from pipeline.logging import configure
    from pipeline.stages import maintain
    from pipeline.stages.services import Services

    settings = load_settings()
    configure(settings.log_format)
    services = Services(settings)
    with services.session() as conn:
        return maintain.summary(maintain.run(conn, services))


def start_backfill(params: dict[str, Any], run_id: str) -> list[list[int]]:
    """Open a backfill by the form's values, or one to go on with, and deal its files to mapped tasks: one each, or
    several where there are more files than a scheduler maps well. The same run of the DAG gets the same backfill.
    """
    from pipeline.errors import PermanentError
    from pipeline.logic.backfills import checked
    from pipeline.stages import backfill

    services = _services()
    try:
        with services.session() as conn:
            number = params["resume"]
            if number is None:
                options = checked(params["kind"], params["source"], params)
                asked = (params["kind"], params["source"].strip(), options)
                number = backfill.start(conn, services, *asked, publisher=params["publisher"], request_key=run_id)
            files = backfill.files(conn, services, number)
    except (ConfigurationError, PermanentError) as error:
        raise AirflowFailException(str(error)) from error  # trying again would not help
    count = min(len(files), MAPPED_FILES)
    return [files[at::count] for at in range(count)]


def read_backfill(file_ids: Sequence[int]) -> dict[str, int]:
    """Read files of a backfill to their ends. Trouble with one is no reason to leave the next; it is raised at last."""
    from pipeline.errors import TransientError
    from pipeline.stages import backfill

    services, outcomes, trouble = _services(), Counter[str](), None
    with services.session() as conn:
        for file_id in file_ids:
            try:
                outcomes += backfill.read(conn, services, file_id).outcomes
            except TransientError as error:
                trouble = error
    if trouble is not None:
        raise trouble
    return dict(outcomes)


def finish_backfill(params: dict[str, Any], run_id: str) -> dict[str, Any]:
    """What became of it; fails where a file could not be read to its end."""
    from pipeline.stages import backfill

    services = _services()
    with services.session() as conn:
        number = params["resume"] or backfill.of_request(conn, run_id)
        done = backfill.finish(conn, services, number)
    if done["state"] != "done":
        raise AirflowFailException(f"{done}: see `claimwatch backfill show {number}`; it can be resumed")
    return done


def _services() -> Services:
    from pipeline.logging import configure
    from pipeline.stages.services import Services

    settings = load_settings()
    configure(settings.log_format)
    return Services(settings)
