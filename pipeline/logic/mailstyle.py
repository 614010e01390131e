"""How mails look: templates/mail.css, written into the elements that name its rules, and as a style sheet for the rest.

Pure; the file is the package's own.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

_RULE = re.compile(r"^\.([a-z-]+) \{ (.*) \}$", re.MULTILINE)


@cache
def _css() -> tuple[dict[str, str], str]:
    """The rules to be written into elements, and the sheet: what overrides them, so all of it is important."""
    text = resources.files("pipeline.logic").joinpath("templates", "mail.css").read_text("utf-8")
    inlined, media, sheet = text.partition("@media")
    sheet = _RULE.sub(lambda rule: f".{rule[1]} {{ {rule[2].replace(';', ' !important;')} }}", media + sheet)
    return dict(_RULE.findall(inlined)), f":root {{ color-scheme: light dark; }}\n{sheet}"


def style(*names: str, more: str = "") -> Markup:
    """The attributes of an element: a class for the sheet, and how it looks without one."""
    from markupsafe import Markup

    rules, _ = _css()
    known = [name for name in names if name in rules]
    return Markup('class="{}" style="{} {}"').format(" ".join(known), " ".join(rules[name] for name in known), more)


def by_stance(prefix: str, stance: str) -> str:
    """The rule for evidence of that stance; the plain one for any other word."""
    return f"{prefix}-{stance}" if f"{prefix}-{stance}" in _css()[0] else prefix


def sheet() -> Markup:
    from markupsafe import Markup

    return Markup(_css()[1])  # noqa: S704 - the package's own file
