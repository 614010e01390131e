"""Mail by SMTP, one connection a batch. What can be tried again and what can't is told apart by the server's answer."""

from __future__ import annotations

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
        """Returns once the server has taken the mail.

        Raises TransientError or PermanentError, or ConfigurationError where no mail at all could be sent.
        """
        smtp = self._connected()
        try:
            # sendmail and not send_message: the latter rewrites lines that begin with "From ".
            smtp.sendmail(
                self._settings.sender,
                [message.to],
                self._build(message, self._settings.sender, self._clock.now()),
                ["SMTPUTF8"] if _foreign(message) else [],
            )
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            self._keep_or_drop()
            raise _refused(code, answer, message.to) from error
        except smtplib.SMTPSenderRefused as error:
            self._drop()
            if error.smtp_code in _SENDER_OR_LOGIN:
                raise ConfigurationError(
                    f"the mail server {self._where} takes no mail from {self._settings.sender}: it answered "
                    f"{error.smtp_code} {_text(error.smtp_error)}; set CLAIMWATCH_MAIL__SENDER, or a login"
                ) from error
            raise _refused(error.smtp_code, error.smtp_error, message.to) from error
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise _refused(error.smtp_code, error.smtp_error, message.to) from error
        except smtplib.SMTPNotSupportedError as error:
            self._keep_or_drop()
            raise PermanentError(f"the mail server can't carry this mail: {error}", code="smtp-unsupported") from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise self._down(error) from error

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _down(self, error: Exception) -> TransientError:
        return TransientError(f"no mail server at {self._where}: {error or type(error).__name__}", code="smtp-down")

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
    problem = f"the mail server answered {code} for {to}: {_text(answer)}"
    if 400 <= code < 500 or code <= 0:
        return TransientError(problem, code=f"smtp-{code}")
    return PermanentError(problem, code=f"smtp-{code}")


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
