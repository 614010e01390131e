"""Chats and other services by Apprise, which knows a hundred of them; an extra of the installation.

A service's address holds its secrets, and Apprise's own log lines may quote it: nothing of them is kept but the HTTP
status that they name.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any

from pydantic import SecretStr

from pipeline.errors import ConfigurationError, PermanentError, TransientError
from pipeline.model import Message

INSTALL = "other services need Apprise: pip install 'claimwatch[services]'"

_STATUS = re.compile(r"error=(\d{3})")
_LOUD = ("apprise", "urllib3")  # what these log may name an address with its secrets


class Messenger:
    """Sends to the services of the settings, by their names."""

    def __init__(self, services: Mapping[str, SecretStr]) -> None:
        self._services = services

    def send(self, name: str, message: Message) -> None:
        """Returns once the service has taken the text. Raises TransientError or PermanentError."""
        if name not in self._services:
            problem = f"no service is called {name!r} in [alerts.services]: {self._known}"
            raise PermanentError(problem, code="service-unknown")
        try:
            service = self._service(name)
        except ConfigurationError as error:  # somebody may mend it; the mails are not held up by it
            raise TransientError(str(error), code="service-unusable") from error
        with _overheard() as said:
            taken = service.notify(body=message.text, title=message.subject, body_format="text")
        if taken:
            return
        status = _STATUS.search(said.getvalue())
        told = f": it answered {status[1]}" if status else ""
        raise TransientError(f"the service {name!r} did not take the message{told}", code="service-refused")

    def check(self, name: str) -> str:
        """What kind of service it is; raises ConfigurationError where its address can't be used. Sends nothing."""
        return str(getattr(self._service(name), "service_name", name))

    @property
    def _known(self) -> str:
        return ", ".join(sorted(self._services)) or "none is set"

    def _service(self, name: str) -> Any:
        try:
            from apprise import Apprise, OverflowMode
        except ImportError as error:
            raise ConfigurationError(INSTALL) from error
        address = self._services[name].get_secret_value()
        with _overheard():
            service = Apprise.instantiate(address, suppress_exceptions=True)
        if service is None:
            raise ConfigurationError(f"Apprise can't read the address of the service {name!r} in [alerts.services]")
        if "overflow=" not in address:
            service.overflow_mode = OverflowMode.SPLIT  # a service that takes short texts only gets several
        return service


@contextmanager
def _overheard() -> Iterator[StringIO]:
    """What is logged inside, for us alone."""
    said = StringIO()
    handler = logging.StreamHandler(said)
    loggers = [logging.getLogger(name) for name in _LOUD]
    before = [(logger.propagate, logger.level) for logger in loggers]
    for logger in loggers:
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        logger.addHandler(handler)
    try:
        yield said
    finally:
        for logger, (propagate, level) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
            logger.setLevel(level)
