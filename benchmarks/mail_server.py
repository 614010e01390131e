"""A mail server with the moods of real ones, in a process of its own. It writes down what it took, and from when on.

It greylists, refuses for a while, hangs up at any point of a conversation, and is slow. It takes a mail only from a
client that is still there: a client that has gone before the answer has to send again.

    with MailServer(folder, seed=1) as server:
        server.port
        taken = server.taken()
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

GREYLISTED = 0.3  # of the addresses: refused until so many seconds after their first mail
GREYLISTED_FOR = 2.0
REFUSED = 0.04  # of the mails, at each of three points of the conversation
HUNG_UP = 0.015  # of the conversations, at each of four points
PAUSE = (0.001, 0.02)  # seconds before every answer
SLOW, SLOW_PAUSE = 0.01, 0.8  # so many of the answers come that late


@dataclass(frozen=True)
class Taken:
    """A mail that the server answered with 250."""

    at: float
    message_id: str
    to: str


class Moody:
    """The server's decisions; aiosmtpd's hooks."""

    def __init__(self, log: Path, rng: random.Random, careless: bool) -> None:
        self._rng, self._careless = rng, careless
        self._log = log.open("a", buffering=1)
        self._first: dict[str, float] = {}
        self._greylisted: dict[str, bool] = {}

    async def _pause(self) -> None:
        await asyncio.sleep(SLOW_PAUSE if self._rng.random() < SLOW else self._rng.uniform(*PAUSE))

    def _hangs_up(self, server: SMTP) -> bool:
        if self._rng.random() >= HUNG_UP:
            return False
        self._write("hung up")
        if server.transport is not None:
            server.transport.abort()
        return True

    def _refuses(self) -> bool:
        if self._rng.random() >= REFUSED:
            return False
        self._write("refused")
        return True

    def _write(self, event: str, **values: Any) -> None:
        self._log.write(json.dumps({"at": time.time(), "event": event, **values}) + "\n")

    async def handle_EHLO(self, server: SMTP, session: Any, _envelope: Any, name: str, answers: list[str]) -> list[str]:
        await self._pause()
        self._hangs_up(server)
        session.host_name = name
        return answers

    async def handle_MAIL(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        await self._pause()
        if self._hangs_up(server) or self._refuses():
            return "451 4.3.0 Try again"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:
        await self._pause()
        if self._hangs_up(server) or self._refuses():
            return "450 4.2.1 Busy"
        first = self._first.setdefault(address, time.time())
        greylisted = self._greylisted.setdefault(address, self._rng.random() < GREYLISTED)
        if greylisted and time.time() < first + GREYLISTED_FOR:
            self._write("greylisted")
            return "451 4.7.1 Greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:
        taking = self._take(server, envelope)  # aiosmtpd drops it when the client goes
        return await (asyncio.shield(taking) if self._careless else taking)

    async def _take(self, server: SMTP, envelope: Any) -> str:
        await self._pause()
        gone = server.transport is None or server.transport.is_closing()
        if self._hangs_up(server) or (gone and not self._careless):
            return "451 nobody is there"
        if self._refuses():
            return "452 4.3.1 Full"
        (line,) = (line for line in envelope.content.splitlines() if line.lower().startswith(b"message-id:"))
        self._write("taken", message_id=line.partition(b":")[2].strip().decode(), to=envelope.rcpt_tos[0])
        return "250 OK"


def _serve(pipe: Pipe, log: Path, seed: int, careless: bool) -> None:
    async def main() -> None:
        loop, moods = asyncio.get_running_loop(), Moody(log, random.Random(seed), careless)
        server = await loop.create_server(lambda: SMTP(moods, hostname="mx.soak.example", loop=loop), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - aiosmtpd tells of every client that has gone
        os.dup2(nowhere.fileno(), 2)
        asyncio.run(main())


class MailServer:
    def __init__(self, folder: Path, seed: int, careless: bool = False) -> None:
        self.careless = careless
        self._file = folder / "mail-server.jsonl"
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_serve, args=(theirs, self._file, seed, careless), daemon=True)
        self._ours = ours

    def __enter__(self) -> MailServer:
        self._process.start()
        self.port = int(self._ours.recv())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(10)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._file.read_text().splitlines()] if self._file.exists() else []

    def taken(self) -> list[Taken]:
        return [Taken(e["at"], e["message_id"], e["to"]) for e in self.events() if e["event"] == "taken"]
