"""check-mail: whether alerts could go out."""

from __future__ import annotations

import typer

from pipeline.commands.common import load_settings
from pipeline.errors import ClaimwatchError
from pipeline.stages.services import Services
from pipeline.terminal import console


def check_mail() -> None:
    """Connect to the mail server, log in, and read the addresses of the other services. Sends nothing."""
    settings = load_settings()
    services, mail = Services(settings), settings.mail
    trouble = False
    try:
        with services.mailer() as mailer:
            mailer.check()
        login = f"logged in as {mail.username}" if mail.username else "without a login"
        shown = {"none": "not encrypted", "starttls": "STARTTLS", "tls": "TLS"}[mail.security]
        console.print(f"mail server {mail.host}:{mail.port}: ready ({shown}, {login}); mails come from {mail.sender}")
    except ClaimwatchError as error:
        trouble = True
        console.print(f"mail: {error}", style="red", markup=False)
    for name in sorted(settings.alerts.services):
        try:
            console.print(f"service {name}: {services.messenger().check(name)}", markup=False)
        except ClaimwatchError as error:
            trouble = True
            console.print(f"service {name}: {error}", style="red", markup=False)
    raise typer.Exit(int(trouble))
