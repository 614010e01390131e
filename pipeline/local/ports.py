"""Ports of this machine: whether one is free, and what to say where it is not."""

from __future__ import annotations

import socket

from pipeline.errors import ConfigurationError

HOST = "127.0.0.1"


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
    return True


def insist(port: int, variable: str, host: str = HOST) -> None:
    """Raises ConfigurationError, with the name of the setting, where the port is taken."""
    if not is_free(port, host):
        raise ConfigurationError(
            f"port {port} on {host} is in use: end the program that has it, or set another in {variable}"
        )


def free(wanted: int) -> int:
    """The wanted port on loopback, or, where it is taken, any that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError(f"no free port on {HOST}")
