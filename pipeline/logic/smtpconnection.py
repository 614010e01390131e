"""Airflow's connections of type smtp, as Airflow's own smtp provider reads them, as our mail settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pipeline.errors import ConfigurationError
from pipeline.settings import MailSettings

IMPLICIT_TLS, PLAIN = 465, 25  # ports where a connection names none


@dataclass(frozen=True)
class SmtpConnection:
    """What a connection holds; `extra` is its JSON."""

    name: str
    kind: str
    host: str | None
    port: int | None
    login: str | None
    password: str | None = field(repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def mail_settings(mail: MailSettings, given: SmtpConnection) -> MailSettings:
    """The settings with the connection's server and login. TLS from the first byte unless `disable_ssl`, else STARTTLS
    unless `disable_tls`. Raises ConfigurationError for a connection that can't be used, without telling its secrets.
    """
    where, extra = f"Airflow's connection {given.name!r}", given.extra
    if given.kind != "smtp":
        raise ConfigurationError(f"{where} is of type {given.kind or 'none'}, not smtp")
    if not given.host:
        raise ConfigurationError(f"{where} names no host")
    if extra.get("auth_type", "basic") != "basic":
        raise ConfigurationError(f"{where} asks for {extra['auth_type']}: only a login with a password is supported")
    if extra.get("ssl_context", "default") != "default":
        raise ConfigurationError(f"{where} switches the check of certificates off: mails go to no server unseen")
    security = "tls" if not extra.get("disable_ssl") else "none" if extra.get("disable_tls") else "starttls"
    values = {
        **mail.model_dump(exclude={"connection"}),
        "host": given.host,
        "port": given.port or (IMPLICIT_TLS if security == "tls" else PLAIN),
        "security": security,
        "username": given.login or None,
        "password": given.password or None,
        "timeout": extra.get("timeout", mail.timeout),
    }
    if extra.get("from_email") and mail.sender == MailSettings().sender:  # our own setting is the stronger
        values["sender"] = extra["from_email"]
    try:
        return MailSettings(**values)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{where} can't be used: {told}") from None
