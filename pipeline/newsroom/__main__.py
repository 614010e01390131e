"""Runs the newsroom: python -m pipeline.newsroom --port 8123 --clock-file PATH"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from pipeline.clock import FileClock, SystemClock
from pipeline.errors import ConfigurationError
from pipeline.newsroom.loopback import require_loopback
from pipeline.newsroom.server import create_app


class _Announcing(uvicorn.Server):
    """Says in one line when it takes connections, with the port it really has (after --port 0 too)."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"newsroom ready on http://{host}:{port}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Exit status 2 if it is asked to do what it must not."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.newsroom", description="The sample newsroom.")
    parser.add_argument("--port", type=int, default=8123, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--bind", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--clock-file", type=Path, help="the demo's clock; without it, the present")
    options = parser.parse_args(arguments)
    try:
        bind = require_loopback(options.bind)
    except ConfigurationError as error:
        print(f"newsroom: {error}", file=sys.stderr)
        return 2
    clock = FileClock(options.clock_file) if options.clock_file else SystemClock()
    config = uvicorn.Config(
        create_app(clock),
        host=bind,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    # uvicorn shuts down in order and then raises the signal once more, for whoever handled it before.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        _Announcing(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
