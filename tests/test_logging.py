"""Log lines carry the traceback and never the values of variables."""

from __future__ import annotations

import pytest
import structlog

from pipeline.logging import configure


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_without_values(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(log_format)  # type: ignore[arg-type]
    try:
        password = "hunter2".upper()
        raise ValueError(f"no use for {len(password)} characters")
    except ValueError:
        structlog.get_logger().exception("crashed")
    finally:
        structlog.reset_defaults()
    told = capsys.readouterr().err
    assert "ValueError: no use for 7 characters" in told
    assert "test_logging.py" in told
    assert "HUNTER2" not in told
