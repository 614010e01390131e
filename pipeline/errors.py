"""The three families of errors. Every one says what happened and, where it can, what to do about it.

ConfigurationError: someone has to change a setting or a file; trying again won't help.
TransientError: the world may be better in a minute; the item stays in the queue with a back-off.
PermanentError: this item will never succeed as it is; the outcome is recorded and the item set aside.
"""

from __future__ import annotations


class ClaimwatchError(Exception):
    """Base of every error raised on purpose. `code` is a short stable word for counts and queries."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class ConfigurationError(ClaimwatchError):
    code = "configuration"


class TransientError(ClaimwatchError):
    """`retry_after` is in seconds where the other side named a time."""

    code = "transient"

    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class PermanentError(ClaimwatchError):
    code = "permanent"
