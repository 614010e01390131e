"""Settings: where they come from, what is refused, and that secrets stay secret."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from pipeline import settings as module
from pipeline.adapters import database
from pipeline.cli import app
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings, default_home, is_mail_address, load, redacted

SECRET = "hunter2-is-secret"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and nothing of ours in the environment but its address."""
    for name in [name for name in os.environ if name.startswith(module.ENV_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, content: str) -> None:
    (home / "claimwatch.toml").write_text(content, encoding="utf-8")


def mistakes() -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    return [line.strip() for line in str(raised.value).splitlines()[1:]]


def test_defaults(home: Path) -> None:
    settings = load()
    assert settings == Settings(home=home)
    assert settings.fetch.respect_robots
    assert settings.fetch.host_delay == 5.0
    assert not settings.fetch.allow_networks
    assert settings.database.dsn is None


def test_the_file_beats_defaults_and_the_environment_beats_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, "lease = 60\n[fetch]\nhost_delay = 6\nper_host = 3\n[match]\naccepted = 0.7\n")
    monkeypatch.setenv("CLAIMWATCH_FETCH__HOST_DELAY", "7")
    monkeypatch.setenv("CLAIMWATCH_MATCH__SUGGESTED", "0.2")
    settings = load()
    assert settings.lease == 60
    assert (settings.fetch.host_delay, settings.fetch.per_host) == (7, 3)
    assert (settings.match.accepted, settings.match.suggested) == (0.7, 0.2)


def test_maps_and_lists_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMWATCH_FETCH__HOST_MAP", '{"*.example": "127.0.0.1:8123"}')
    monkeypatch.setenv("CLAIMWATCH_FETCH__ALLOW_NETWORKS", '["127.0.0.0/8"]')
    settings = load()
    assert settings.fetch.host_map == {"*.example": "127.0.0.1:8123"}
    assert settings.fetch.allow_networks == ["127.0.0.0/8"]


def test_the_sample_file_says_the_defaults(home: Path) -> None:
    sample = module.package_data("claimwatch.toml").read_text(encoding="utf-8")
    write(home, sample)
    assert load() == Settings(home=home)
    # ... and with its # taken away every line is a setting.
    lines = [
        line.removeprefix("# ")
        for line in sample.splitlines()
        if line.startswith(("[", "# ")) and "# Settings" not in line
    ]
    write(home, "\n".join(line for line in lines if "=" in line or line.startswith("[")))
    said = load()
    assert said.schedule == Settings(home=home).schedule
    assert said.fetch.host_delay == 5.0
    assert said.mail.username == "..."


def test_every_mistake_is_named_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, 'nope = 1\n[fetch]\nfoo = 1\nhost_delay = -3\n[mail]\nsender = "bad"\n[schedule]\nmatch = "* *"\n')
    monkeypatch.setenv("CLAIMWATCH_FETCHH__X", "1")
    monkeypatch.setenv("CLAIMWATCH_POLL__TYPO", "1")
    told = mistakes()
    assert len(told) == 7
    for start in (
        "CLAIMWATCH_FETCHH__X: there is no",
        "poll.typo: there is no",
        "nope: there is no",
        "fetch.foo: there is no",
    ):
        assert any(line.startswith(start) for line in told), start
    for start in ("fetch.host_delay: Input should be greater", "mail.sender: ", "schedule.match: "):
        assert any(line.startswith(start) for line in told), start


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLAIMWATCH_FETCH", "abc"),
        ("CLAIMWATCH_FETCH__HOST_MAP", "abc"),
        ("CLAIMWATCH_FETCH__HOST_DELAY__X", "1"),
        ("CLAIMWATCH_LEASE", "soon"),
        ("CLAIMWATCH_LEASE", "0"),
        ("CLAIMWATCH_DATABASE__EMBEDDED_VERSION", "15"),
        ("CLAIMWATCH_MAIL__SECURITY", "ssl"),
        ("CLAIMWATCH_MATCH__ACCEPTED", "1"),
    ],
)
def test_wrong_values(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    (told,) = mistakes()
    assert name.split("_")[1].lower().split("__")[0] in told


@pytest.mark.parametrize("content", [b"[[x", b"a = 1\na = 2", b"\xff\xfe"])
def test_a_file_that_is_no_toml(home: Path, content: bytes) -> None:
    (home / "claimwatch.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"claimwatch\.toml: "):
        load()


def test_a_file_that_cant_be_read(home: Path) -> None:
    (home / "claimwatch.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"claimwatch\.toml"):
        load()


def test_a_password_never_travels_in_clear_text(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMWATCH_MAIL__PASSWORD", SECRET)
    assert load().mail.host == "127.0.0.1"  # to this machine it may
    monkeypatch.setenv("CLAIMWATCH_MAIL__HOST", "m.org")
    assert mistakes() == ["mail: Value error, a password would travel in clear text: set security to starttls or tls"]
    for security in ("starttls", "tls"):
        monkeypatch.setenv("CLAIMWATCH_MAIL__SECURITY", security)
        assert load().mail.security == security


def test_secrets_are_masked(home: Path) -> None:
    write(home, f'[database]\ndsn = "postgresql://u:{SECRET}@h/d"\n[mail]\npassword = "{SECRET}"\n')
    settings = load()
    for shown in (repr(settings), str(settings), json.dumps(redacted(settings))):
        assert SECRET not in shown
    assert settings.database.dsn is not None
    assert SECRET in settings.database.dsn.get_secret_value()
    printed = CliRunner().invoke(app, ["config", "show"])
    assert printed.exit_code == 0
    assert SECRET not in printed.output
    assert json.loads(printed.output)["mail"]["password"] == "**********"


def test_secrets_are_not_in_errors(home: Path) -> None:
    write(home, f'[mail]\nhost = "m.org"\npassword = "{SECRET}"\nx = 1\n[database]\ndsn = ["{SECRET}"]\n')
    assert len(mistakes()) == 2


@pytest.mark.parametrize(
    "dsn",
    [
        f"claimwatch:{SECRET}@host",
        f"postgresql://u:%zz{SECRET}@127.0.0.1:1/x",
        f"postgresql://u:{SECRET}@127.0.0.1:1/x",
        f"host=127.0.0.1 port=1 password='{SECRET}",
        f"postgresql://u@127.0.0.1:1/x?password={SECRET}&sslpassword={SECRET}",
        f"nonsense=1 password={SECRET}",
    ],
)
def test_a_wrong_dsn_does_not_tell_its_password(dsn: str, home: Path) -> None:
    with pytest.raises(ConfigurationError, match="CLAIMWATCH_DATABASE__DSN") as raised:
        database.connect(Settings(home=home, database={"dsn": dsn}))
    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("CLAIMWATCH_HOME", "below")
    assert load().home == home / "below"  # child processes have other working directories
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CLAIMWATCH_HOME", "~/mine")
    assert load().home == home / "mine"
    assert load(home / "asked").home == home / "asked"


def test_default_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.delenv("CLAIMWATCH_HOME")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home() == Path("/var/lib/claimwatch")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_home() == home / ".local" / "share" / "claimwatch"
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    assert load().home == home / "data" / "claimwatch"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("desk@example.org", True),
        ("desk+kursk@localhost", True),
        ("박@예.한국", True),
        ("desk", False),
        ("a@b@c", False),
        ("a b@c", False),
        ("a@b\nBcc: x@y", False),
        ("a@b,c@d", False),
        ("<a@b>", False),
        ("a@b\x00", False),
        ("", False),
    ],
)
def test_mail_addresses(text: str, good: bool) -> None:
    assert is_mail_address(text) is good


def test_a_contact_fits_into_a_header(home: Path) -> None:
    for good in ("https://example.org/about", "Desk <desk@example.org>", ""):
        assert Settings(home=home, fetch={"contact": f" {good} "}).fetch.contact == good
    for bad in ("a\r\nx: y", "Überwachung", "(desk)", "x" * 201):
        with pytest.raises(ValidationError, match="HTTP header"):
            Settings(home=home, fetch={"contact": bad})
