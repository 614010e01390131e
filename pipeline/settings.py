"""Settings, read once and validated: environment over `claimwatch.toml` over defaults.

The file lives in the home directory (`claimwatch init` writes one). Environment names are CLAIMWATCH_ plus the
key, with two underscores between section and key: CLAIMWATCH_FETCH__HOST_DELAY=2. A key nobody knows is an
error, in the file and in the environment alike, so that a typo can't silently mean "default".
"""

from __future__ import annotations

import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from pipeline.clock import Clock, FileClock, SystemClock
from pipeline.errors import ConfigurationError

ENV_PREFIX = "CLAIMWATCH_"

Seconds = Annotated[float, Field(gt=0)]
Days = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DatabaseSettings(Section):
    """`dsn` names any PostgreSQL 16+ with pgvector; without it the embedded server is used."""

    dsn: SecretStr | None = None  # postgresql://claimwatch:secret@db.example.org/claimwatch
    analyst_dsn: SecretStr | None = None  # the same as claimwatch_analyst, for the desk; only with dsn
    reviewer_dsn: SecretStr | None = None  # the same as claimwatch_reviewer
    embedded_version: Literal[16, 18] = 18  # PostgreSQL's major version; each has a data folder of its own
    service_user: str = "claimwatch"  # runs the embedded server when claimwatch is started as root
    shared_buffers: str = "512MB"  # of the embedded server, in PostgreSQL's notation
    maintenance_work_mem: str = "512MB"  # of the embedded server; index builds take it

    @field_validator("embedded_version", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdigit() else value  # the environment holds only text

    @model_validator(mode="after")
    def _one_database(self) -> DatabaseSettings:
        if self.dsn is None and (self.analyst_dsn or self.reviewer_dsn):
            raise ValueError("analyst_dsn and reviewer_dsn name roles on your own server: set dsn too")
        return self


class PollSettings(Section):
    """How often feeds are asked, in seconds. The bounds are Miniflux's, the adaptive steps news-crawl's."""

    min_interval: Seconds = 300.0  # a feed that changes all the time is asked this often
    max_interval: Seconds = 86_400.0  # one that never changes, this often
    host_delay: Annotated[float, Field(ge=0)] = 1.0  # between two feeds of one host
    max_body: int = Field(default=10 * 2**20, gt=0)  # bytes, after decompression
    batch: int = Field(default=1000, gt=0)


class FetchSettings(Section):
    """How articles are fetched. Sizes in bytes after decompression, times in seconds."""

    contact: str = ""  # an address or URL that a site's operator can write to; goes into the User-Agent
    host_delay: Annotated[float, Field(ge=0)] = 5.0  # between an article and any other request to its host
    per_host: int = Field(default=2, ge=1, le=6)  # connections at a time
    max_body: int = Field(default=5 * 2**20, gt=0)
    connect_timeout: Seconds = 10.0
    idle_timeout: Seconds = 20.0  # without a byte
    total_timeout: Seconds = 60.0
    max_redirects: int = Field(default=5, ge=0, le=20)
    max_attempts: int = Field(default=5, ge=1)  # where the trouble may pass
    batch: int = Field(default=200, gt=0)
    respect_robots: bool = True
    # "host" or "*.suffix" to "address" or "address:port": plays many hosts on loopback in a demo or test.
    host_map: dict[str, str] = {}
    # Networks that may be reached although they are private; empty in production.
    allow_networks: list[str] = []

    @field_validator("contact")
    @classmethod
    def _fits_a_header(cls, value: str) -> str:
        value = value.strip()
        if not re.fullmatch(r"[\x20-\x7e]{0,200}", value) or set(value) & set("()\\"):
            raise ValueError("a web or mail address, in plain ASCII and without brackets: it goes into an HTTP header")
        return value


class ArchiveSettings(Section):
    """Where what was fetched is kept as WARC files, each record as the server sent it. Sizes in bytes."""

    folder: Path | None = None  # default: archive/ in the home; all workers have to see the same
    max_size: int = Field(default=256 * 2**20, ge=2**20)  # a file that has reached it gets a successor
    min_free: int = Field(default=256 * 2**20, ge=0)  # with less room on the disk nothing is fetched
    feeds: bool = True  # keep a feed's document too, where it brought new entries


class VersionsSettings(Section):
    """When an article's page is looked at again for edits: next when its age has grown by `factor`, in seconds."""

    look_again: bool = True
    first: Seconds = 3600.0  # the first look: then 3, 9, 27 and 81 hours
    factor: Annotated[float, Field(ge=1.25)] = 3.0
    until: Seconds = 345_600.0  # an article older than that is left alone, but for one with evidence


class EmbedSettings(Section):
    """`model` is "e5-small" (packaged), "minilm" (packaged, English) or any sentence-transformers name or path."""

    model: str = "e5-small"
    batch: int = Field(default=512, gt=0)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # auto: bfloat16 where the processor has it
    threads: int | None = Field(default=None, gt=0)


class MatchSettings(Section):
    batch: int = Field(default=2000, gt=0)
    freshness_days: Days = 7  # only items published within this window may alert
    accepted: float | None = Field(default=None, gt=0, lt=1)  # default: the operating point in the matcher's file
    suggested: float | None = Field(default=None, gt=0, lt=1)  # the same
    stale_days: Days = 365  # a claim without evidence for longer must be surer of a match to accept it
    matcher: Path | None = None  # a decision model's file; default: what `claimwatch calibrate` made, else the packaged
    nli: str | None = None  # an entailment model, any sentence-transformers CrossEncoder name or path


class MailSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=25, gt=0, lt=65536)
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: SecretStr | None = None
    connection: str | None = None  # an Airflow connection of type smtp to send by, for the DAGs: smtp_default
    sender: str = "claimwatch@localhost"
    operator: str | None = None  # gets a mail when a stage stalls
    timeout: Seconds = 30.0
    answer_timeout: Seconds = 600.0  # for the answer to a mail's text: who is less patient than RFC 5321 sends twice
    max_attempts: int = Field(default=12, ge=1)
    batch: int = Field(default=100, gt=0)
    chart: bool = True  # alerts show the claim's stories over time as a picture

    @property
    def domain(self) -> str:
        """Where the sender is at home; Message-IDs end in it."""
        return self.sender.rpartition("@")[2].lower()

    @field_validator("sender", "operator")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not is_mail_address(value):
            raise ValueError(f"{value!r} is not a mail address")
        return value

    @model_validator(mode="after")
    def _no_plain_password(self) -> MailSettings:
        local = self.host in {"127.0.0.1", "::1", "localhost"}
        if self.password is not None and self.security == "none" and not local:
            raise ValueError("a password would travel in clear text: set security to starttls or tls")
        return self


class AlertSettings(Section):
    """Who else is told, and how much a mail server is asked to take. A service is an address as Apprise has it."""

    services: dict[str, SecretStr] = {}  # name to address: team = "slack://…"; subscriptions name them
    domain_rate: int = Field(default=60, ge=1)  # mails a minute to addresses of one domain
    link_days: Days = 30  # how long a mail's confirm and reject links hold, and a new reader may take to say yes


class RetentionSettings(Section):
    """What maintain deletes. Evidence and its article are kept whatever its age."""

    bodies_days: Days = 90  # archive files; the records that evidence rests on stay
    runs_days: Days = 90  # the log of runs and outcomes, and hosts that were not asked since
    logs_days: Days = 14  # Airflow's log files
    articles_days: Days | None = None  # unset: articles without evidence are kept too


class ScheduleSettings(Section):
    """Cron lines of the DAGs. Assets wake match and alert at once; their cron covers lost events and what waited."""

    ingest: str = "*/5 * * * *"
    match: str = "*/30 * * * *"
    alert: str = "*/10 * * * *"  # digests, tries after a back-off and what waited for quiet hours go out by it
    maintain: str = "20 * * * *"  # hourly, so that a stall is told within hours
    shards: int = Field(default=2, ge=1, le=64)  # tasks side by side in poll and fetch; a host is always in one

    @field_validator("ingest", "match", "alert", "maintain")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        if len(value.split()) != 5:
            raise ValueError(f"{value!r} is not a cron line of five fields")
        return value


class AirflowSettings(Section):
    port: int = Field(default=8080, gt=0, lt=65536)  # of its page, on 127.0.0.1
    parallelism: int = Field(default=4, ge=1)  # tasks at a time; each worker holds some 150 MB


class WebSettings(Section):
    """The analysts' desk in a browser. Open to the network it needs a password or a token."""

    host: str = "127.0.0.1"
    port: int = Field(default=8800, gt=0, lt=65536)
    password: SecretStr | None = Field(default=None, min_length=8)  # asked for on a login page
    token: SecretStr | None = Field(default=None, min_length=16)  # for programs: Authorization: Bearer
    public_url: str | None = None  # where readers reach it, for links in mails and feeds: https://desk.example.org

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/?#@]+/?", value):
            raise ValueError(f"{value!r} is not an address like https://desk.example.org")
        return value

    @property
    def address(self) -> str:
        """Where readers find the desk, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


class Settings(BaseSettings):
    """Everything an operator may set; see docs/settings.md."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # a traceback in somebody's log must not hold a password
        nested_model_default_partial_update=True,
    )

    home: Path  # where data and this file live; from the environment or --home only
    lease: Seconds = 900.0  # seconds after which a claimed item is pending again
    origins: Path | None = None  # your own lexicon of origins; else claims/origins.yaml
    clock_file: Path | None = None  # a moved clock, for demos and replays
    log_format: Literal["auto", "json", "console"] = "auto"
    database: DatabaseSettings = DatabaseSettings()
    poll: PollSettings = PollSettings()
    fetch: FetchSettings = FetchSettings()
    archive: ArchiveSettings = ArchiveSettings()
    versions: VersionsSettings = VersionsSettings()
    embed: EmbedSettings = EmbedSettings()
    match: MatchSettings = MatchSettings()
    mail: MailSettings = MailSettings()
    alerts: AlertSettings = AlertSettings()
    retention: RetentionSettings = RetentionSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    airflow: AirflowSettings = AirflowSettings()
    web: WebSettings = WebSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` passes the file's content as init values; the environment is the stronger of the two.
        return env_settings, init_settings

    @field_validator("home", "origins", "clock_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        """Child processes have other working directories."""
        return None if value is None else value.expanduser().absolute()

    @property
    def archive_folder(self) -> Path:
        """Where the WARC files are."""
        return (self.archive.folder or self.home / "archive").expanduser().absolute()

    def clock(self) -> Clock:
        return SystemClock() if self.clock_file is None else FileClock(self.clock_file)


def is_mail_address(text: str) -> bool:
    """Plain plausibility: one @, no space or control character, a dot-free host only for localhost."""
    return bool(re.fullmatch(r"[^\s@<>\"',;:\x00-\x1f]{1,64}@[^\s@<>\"',;:\x00-\x1f]{1,255}", text))


def default_home() -> Path:
    """Where data lives when CLAIMWATCH_HOME does not say: /var/lib for root, else XDG's data folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/claimwatch")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "claimwatch"


def load(home: Path | None = None) -> Settings:
    """Read and check the settings; raises ConfigurationError naming every wrong key."""
    if home is None:
        home = Path(os.environ.get(ENV_PREFIX + "HOME") or default_home())
    home = home.expanduser().absolute()
    file = home / "claimwatch.toml"
    content: dict[str, Any] = {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    mistakes = [f"{name}: there is no such setting" for name in _unknown_environment()]
    try:
        settings = Settings(**{**content, "home": home})
    except ValidationError as error:
        mistakes += [_told(".".join(map(str, e["loc"])) or "settings", e["type"], e["msg"]) for e in error.errors()]
    except SettingsError as error:  # a section or map from the environment that is not JSON
        mistakes.append(f"{error}: {error.__cause__}")
    if mistakes:
        raise ConfigurationError(f"settings ({file} and {ENV_PREFIX}* in the environment):\n  " + "\n  ".join(mistakes))
    return settings.model_copy(update={"home": home})  # the one that was asked for, whatever the environment says


def _told(place: str, kind: str, message: str) -> str:
    return f"{place}: " + ("there is no such setting" if kind == "extra_forbidden" else message)


def _unknown_environment() -> list[str]:
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith(ENV_PREFIX) and name.split("__")[0] not in known)


def redacted(settings: Settings) -> dict[str, Any]:
    """The settings as plain data with every secret masked, for `config show`."""
    shown: dict[str, Any] = settings.model_dump(mode="json")
    return shown


@cache
def root() -> Path:
    """The folder with sql/, dags/, plugins/, claims/ and feeds/: the checkout, or the copy bundled in a wheel."""
    package = Path(__file__).parent
    checkout = package.parent
    if (checkout / "sql" / "migrations").is_dir():
        return checkout
    return package / "bundled"


def package_data(name: str) -> Path:
    """A file of pipeline/data."""
    return Path(__file__).parent / "data" / name


__all__ = [
    "ENV_PREFIX",
    "Settings",
    "default_home",
    "is_mail_address",
    "load",
    "package_data",
    "redacted",
    "root",
]
