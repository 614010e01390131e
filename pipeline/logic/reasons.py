"""What an outcome means and what can be done about it, in plain words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reason:
    """A sentence that says what happened, and one that says what to do about it."""

    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.what} {self.advice}".strip()


_WAIT = "It is tried again by itself."
_ELSEWHERE = "Look for the feed's new address: `claimwatch feeds add` with the address of the site."
_ASK_THEM = "Ask the publisher to let the address through, or use another feed of theirs."

# Code -> (what, advice). Where one code has several meanings, the words of the detail decide (see _BY_DETAIL).
_BY_CODE = {
    "dns": ("The host name does not exist.", f"The site has closed or moved. {_ELSEWHERE}"),
    "dns-temporary": ("The name server did not answer.", f"This is mostly trouble of our own network. {_WAIT}"),
    "connect": ("The server could not be reached.", f"It is down, or keeps us out. {_WAIT}"),
    "timeout": ("The server did not answer in time.", f"It is overloaded, or keeps us waiting on purpose. {_WAIT}"),
    "tls": (
        "No secure connection could be made.",
        "The server's encryption is broken or out of date; the publisher has to mend it.",
    ),
    "protocol": ("The answer was broken or cut off.", _WAIT),
    "too-large": (
        "The answer is larger than feeds may be.",
        "It may be no feed; else raise poll.max_body in the settings.",
    ),
    "too-many-redirects": (
        "The address leads in a circle of redirects.",
        f"Often a consent or login page. {_ELSEWHERE}",
    ),
    "address-refused": (
        "The address leads into a private network.",
        "If that is meant, name the network in fetch.allow_networks.",
    ),
    "bad-url": ("The address is not one that can be asked.", "Correct it: `claimwatch feeds edit FEED --url`."),
    "wrong-type": ("The address serves something that is no feed.", _ELSEWHERE),
    "robots": (
        "The site's robots.txt does not allow this address.",
        "Ask the publisher, or use another feed of theirs.",
    ),
    "robots-unreadable": ("The site's robots.txt could not be read, which means no.", _WAIT),
    "sitemaps-unreadable": ("None of the sitemaps that the index names could be read.", _WAIT),
    "not-a-feed": ("The address serves no feed.", _ELSEWHERE),
    "crashed": (
        "Reading it failed in a way that nobody had thought of.",
        "Please report it with the address of the feed.",
    ),
    "gone": ("The server says that the feed is gone for good.", f"It is asked again once a month. {_ELSEWHERE}"),
}
# Code, pattern of the detail, (what, advice). {1} is the pattern's first group.
_BY_DETAIL = (
    (
        "not-a-feed",
        r"checks for a human",
        ("A page that checks for a human reader comes instead of the feed.", f"The site blocks programs. {_ASK_THEM}"),
    ),
    (
        "not-a-feed",
        r"web page; the page names this feed: (\S+)",
        ("The address is a web page, and it names its feed.", "Use that one: claimwatch feeds edit FEED --url {1}"),
    ),
    ("not-a-feed", r"web page", ("The address is a web page that names no feed.", _ELSEWHERE)),
    ("not-a-feed", r"empty", ("The answer is empty.", f"If it stays so, the feed was given up. {_ELSEWHERE}")),
    ("tls", r"expired", ("The server's certificate has expired.", f"The publisher has to renew it. {_WAIT}")),
    (
        "tls",
        r"hostname mismatch|doesn't match|not valid for",
        (
            "The server's certificate is for another name.",
            "Try the address with or without www, or with the name that the site itself uses.",
        ),
    ),
    (
        "tls",
        r"self[- ]signed",
        (
            "The server's certificate is self-signed, so nobody vouches for it.",
            "Look for the publisher's official address.",
        ),
    ),
    (
        "tls",
        r"unable to get (?:local )?issuer|unknown ca",
        (
            "The server's certificate is from an authority that is not known here.",
            "Often the server leaves out a link of the chain; the publisher has to mend it.",
        ),
    ),
    ("tls", r"not yet valid", ("The server's certificate is not valid yet.", "Check this machine's clock.")),
    (
        "connect",
        r"refused|errno 111",
        ("The server refuses connections.", f"The site is down or does not serve this port. {_WAIT}"),
    ),
    (
        "connect",
        r"unreachable|no route",
        ("There is no way to the server from here.", f"Mostly trouble of our own network. {_WAIT}"),
    ),
    ("connect", r"reset", ("The server cut the connection.", f"It is overloaded, or keeps programs out. {_WAIT}")),
)
_BY_STATUS = {
    401: ("The feed wants a login.", "Feeds behind a login are not read; look for a public one."),
    402: ("The feed is for paying readers.", "Look for a public one."),
    403: ("The server refuses to show the feed.", f"It blocks programs or our country. {_ASK_THEM}"),
    404: ("There is nothing at this address now.", f"If it stays so, the feed has moved. {_ELSEWHERE}"),
    410: _BY_CODE["gone"],
    418: ("The server refuses to show the feed.", f"It blocks programs. {_ASK_THEM}"),
    429: (
        "The server says that we ask too often{until}.",
        "Set a longer interval: `claimwatch feeds edit FEED --min-interval 60`.",
    ),
    451: ("The feed is withheld for legal reasons.", "Look for another address of the publisher."),
    503: ("The server is out of service{until}.", _WAIT),
}


def explain(code: str, detail: str = "", *, until: datetime | None = None) -> Reason:
    """The reason behind an outcome word. `detail` is the recorded problem; `until` is when the server wants us back."""
    detail = detail.strip()
    wait = f" until {until:%d %b %H:%M} UTC" if until else ""
    status = re.fullmatch(r"http-(\d{3})", code)
    if status:
        what, advice = _of_status(int(status[1]))
        return Reason(what.format(until=wait), advice)
    for known, pattern, (what, advice) in _BY_DETAIL:
        found = re.search(pattern, detail, re.IGNORECASE) if known == code else None
        if found:
            return Reason(what, advice.replace("{1}", found[1]) if found.groups() else advice)
    if code in _BY_CODE:
        return Reason(*_BY_CODE[code])
    return Reason(f"{detail[:1].upper()}{detail[1:]}." if detail else f"It ended with {code!r}.", _WAIT)


def _of_status(status: int) -> tuple[str, str]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return f"The server has trouble of its own (it answered {status}).", _WAIT
    if status >= 400:
        return f"The server refuses the request (it answered {status}).", _ASK_THEM
    return f"The server's answer ({status}) can't be used.", _WAIT
