"""Photographs mails in headless Chromium, as light, dark and narrow programs show them: docs/img/mail-*.png.

    python scripts/mailshots.py                            the invented ones of tests/mail_samples.py
    python scripts/mailshots.py --mbox .demo/mail.mbox     the demo's: its richest alert and digest

`make screenshots` takes the demo's. A mail is photographed as it is sent: built, parsed, and shown.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "img"
# Name, width, dark.
LOOKS = (("", 760, False), ("-dark", 760, True), ("-phone", 390, False))


def samples() -> dict[str, bytes]:
    """As mails: name to bytes."""
    sys.path.insert(0, str(ROOT / "tests"))
    import mail_samples

    from pipeline.adapters import charts
    from pipeline.logic import mail, mime

    until = mail_samples.AT.date()
    days = [
        charts.Day(until - timedelta(days=90 - at), count - (at > 80), int(at > 80), int(at == 40))
        for at, count in mail_samples.STORIES.items()
    ]
    marks = [charts.Mark(mail_samples.AT - timedelta(days=back), kind, kind) for kind, back in _MARKS]
    chart = charts.drawn(_timeline(days, marks, until), "png")
    root = mail.Thread("<claim.killed-in-kursk@example.org>")
    to, ids = "desk@example.org", "<{}@example.org>"
    made = {
        "mail-alert": mail.alert(mail_samples.alert_content(chart=chart), to, ids.format("a1"), root),
        "mail-denial": mail.alert(mail_samples.denied(), to, ids.format("a2"), root),
        "mail-silence": mail.alert(mail_samples.silent(), to, ids.format("a3"), root),
        "mail-digest": mail.digest(mail_samples.digest_content(), to, ids.format("d1")),
        "mail-confirmation": mail.confirmation(
            "Killed in Kursk", "instant", mail_samples.CONFIRM, to, ids.format("c1")
        ),
    }
    return {name: mime.build(message, "claimwatch@example.org", mail_samples.AT) for name, message in made.items()}


_MARKS = (("first_seen", 87), ("surge", 66), ("contradiction", 50), ("fresh_coverage", 38), ("fresh_coverage", 2))


def _timeline(days: list, marks: list, until: date):
    from pipeline.adapters import charts

    return charts.timeline(days, marks, until, None, charts.LIGHT, charts.WIDTHS["mail"], until - timedelta(days=90))


def of_mbox(path: Path) -> dict[str, bytes]:
    """The alert and the digest that have most to show, best an alert in which figures have moved."""
    from pipeline.newsroom import sink

    mails = sink.read(path)
    alerts = [m for m in mails if m["X-Claimwatch-Claim"]]
    digests = [m for m in mails if "digest" in str(m["Subject"]).lower() and not m["X-Claimwatch-Claim"]]
    kinds = {"mail-alert": alerts, "mail-digest": digests}
    most = {name: max(of, key=_shows) for name, of in kinds.items() if of}
    return {name: mail.as_bytes(policy=policy.SMTP) for name, mail in most.items()}


def _shows(mail: EmailMessage) -> tuple[int, int]:
    return str(mail["Subject"]).count(" now says "), len(str(mail.get_body(("plain",))))


def shown(raw: bytes) -> str:
    """The HTML of a mail, with the pictures that came along."""
    mail: EmailMessage = BytesParser(policy=policy.default).parsebytes(raw)  # type: ignore[arg-type,assignment]
    body = mail.get_body(("html",))
    if body is None:
        raise ValueError("a mail without HTML")
    html: str = body.get_content()
    for part in mail.walk():
        if part.get_content_maintype() == "image":
            data = base64.b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", f"data:image/png;base64,{data}")
    return html


def photograph(browser: Browser, mails: Mapping[str, bytes], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, raw in mails.items():
        for look, width, dark in LOOKS:
            context = browser.new_context(
                viewport={"width": width, "height": 600},
                color_scheme="dark" if dark else "light",
                device_scale_factor=1.5 if width < 500 else 1,
                offline=True,
            )
            page = context.new_page()
            page.set_content(shown(raw), wait_until="load")
            path = out / f"{name}{look}.png"
            page.screenshot(path=path, full_page=True)
            print(path)
            context.close()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbox", type=Path)
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--only", default="", help="names, with commas between")
    given = parser.parse_args(arguments)
    import screenshots

    mails = of_mbox(given.mbox) if given.mbox else samples()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**screenshots.chromium())
        photograph(browser, {n: m for n, m in mails.items() if not given.only or n in given.only.split(",")}, given.out)
        browser.close()


if __name__ == "__main__":
    main()
