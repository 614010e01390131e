"""Mail by SMTP, one connection a batch. What can be tried again and what can't is told apart by the server's answer."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

from pipeline.clock import Clock
from pipeline.errors import ConfigurationError, PermanentError, TransientError
from pipeline.model import Message
from pipeline.settings import MailSettings

# "Authentication required", "mailbox unavailable" and their like, in answer to our own sender address.
_SENDER_OR_LOGIN = frozenset({530, 535, 550, 553, 554})
DOWN = "smtp-down"  # no mail server could be reached: no fault of any mail
UNANSWERED = "smtp-unanswered"  # the one outcome that may be a mail delivered

_DOT = re.compile(rb"^\.", re.MULTILINE)  # a line that begins with the end mark gets another dot


class Mailer:
    """Use as a context manager; the connection is opened by the first mail and reopened after a fault.

    `build` makes the bytes of a message, for a sender and a date.
    """

    def __init__(self, settings: MailSettings, clock: Clock, build: Callable[[Message, str, datetime], bytes]) -> None:
        self._settings = settings
        self._clock = clock
        self._build = build
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Mailer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()
            self._smtp = None

    def send(self, message: Message) -> None:
        """Returns as soon as the server has taken the mail: whatever can be made before is made before.

        Raises TransientError or PermanentError, or ConfigurationError where no mail at all could be sent.
        """
        raw = self._build(message, self._settings.sender, self._clock.now())
        try:
            smtp = self._begin(message, raw)
            self._recipient(smtp, message.to)
            self._text(smtp, raw, message.to)
        except smtplib.SMTPNotSupportedError as error:
            self._keep_or_drop()
            raise PermanentError(f"the mail server can't carry this mail: {error}", code="smtp-unsupported") from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            problem = f"the connection to the mail server {self._where} was lost: {error or type(error).__name__}"
            raise TransientError(problem, code="smtp-cut") from error

    def check(self) -> None:
        """Connects, logs in where that is set, and asks nothing more. Raises as `send` does."""
        smtp = self._connected()
        try:
            smtp.noop()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise self._down(error) from error

    def _begin(self, message: Message, raw: bytes) -> smtplib.SMTP:
        """A connection on which the server has taken our own address. One that is open from the mail before may have
        been closed since; nothing of this mail has been said on it, so another is opened at once.
        """
        used = self._smtp is not None
        try:
            code, answer = self._offer(message, raw)
        except smtplib.SMTPServerDisconnected:
            if not used:
                raise
            code, answer = 421, b""
        if code == 421 and used:
            self._drop()
            code, answer = self._offer(message, raw)
        if code != 250:
            self._drop()
            if code in _SENDER_OR_LOGIN:
                raise ConfigurationError(
                    f"the mail server {self._where} takes no mail from {self._settings.sender}: it answered "
                    f"{code} {_words(answer)}; set CLAIMWATCH_MAIL__SENDER, or a login"
                )
            raise _refused(code, answer, message.to)
        return self._connected()

    def _offer(self, message: Message, raw: bytes) -> tuple[int, bytes]:
        smtp = self._connected()
        options = [f"size={len(raw)}"] if smtp.has_extn("size") else []
        return smtp.mail(self._settings.sender, options + (["SMTPUTF8"] if _foreign(message) else []))

    def _recipient(self, smtp: smtplib.SMTP, to: str) -> None:
        code, answer = smtp.rcpt(to)
        if code not in {250, 251}:
            self._keep_or_drop()
            raise _refused(code, answer, to)

    def _text(self, smtp: smtplib.SMTP, raw: bytes, to: str) -> None:
        """The mail itself. A server that has all of it and does not answer may have taken it: nobody can ask."""
        code, answer = smtp.docmd("DATA")
        if code == 354:
            smtp.send(_DOT.sub(b"..", raw.removesuffix(b"\r\n")) + b"\r\n.\r\n")
            try:
                if smtp.sock is not None:
                    smtp.sock.settimeout(self._settings.answer_timeout)
                code, answer = smtp.getreply()
            except (smtplib.SMTPServerDisconnected, OSError) as error:
                self._drop()
                problem = f"the mail server {self._where} had the whole mail and did not answer: {error}"
                raise TransientError(problem, code=UNANSWERED) from error
            if smtp.sock is not None:
                smtp.sock.settimeout(self._settings.timeout)
        if code != 250:
            self._keep_or_drop()
            raise _refused(code, answer, to)

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _down(self, error: Exception) -> TransientError:
        return TransientError(f"no mail server at {self._where}: {error or type(error).__name__}", code=DOWN)

    def _connected(self) -> smtplib.SMTP:
        """No fault here is the mail's own: it is the network's, or somebody has to change a setting."""
        if self._smtp is None:
            try:
                self._smtp = self._connect()
            except ssl.SSLCertVerificationError as error:
                raise ConfigurationError(
                    f"the certificate of the mail server {self._where} is not trusted: {error.verify_message}"
                ) from error
            except smtplib.SMTPAuthenticationError as error:
                if 400 <= error.smtp_code < 500:
                    raise self._down(error) from error
                raise ConfigurationError(
                    f"the mail server {self._where} refused the login of {self._settings.username}: set "
                    "CLAIMWATCH_MAIL__USERNAME and CLAIMWATCH_MAIL__PASSWORD"
                ) from error
            except smtplib.SMTPNotSupportedError as error:
                raise ConfigurationError(
                    f"the mail server {self._where} does not offer what the settings ask for: {error} "
                    "(CLAIMWATCH_MAIL__SECURITY, CLAIMWATCH_MAIL__USERNAME)"
                ) from error
            except (smtplib.SMTPException, OSError) as error:
                raise self._down(error) from error
        return self._smtp

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        if settings.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
        try:
            if settings.security == "starttls":
                smtp.starttls(context=context)
            if settings.username is not None and settings.password is not None:
                smtp.login(settings.username, settings.password.get_secret_value())
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _keep_or_drop(self) -> None:
        """After a refused recipient the connection is good, if the server takes a RSET."""
        try:
            if self._smtp is not None:
                self._smtp.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _foreign(message: Message) -> bool:
    return not message.to.isascii()


def _refused(code: int, answer: bytes | str, to: str) -> TransientError | PermanentError:
    problem = f"the mail server answered {code} for {to}: {_words(answer)}"
    if 400 <= code < 500 or code <= 0:
        return TransientError(problem, code=f"smtp-{code}")
    return PermanentError(problem, code=f"smtp-{code}")


def _words(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
