"""How much evidence a claim has, in the one form in which people are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


def counted(number: int, one: str, many: str) -> str:
    """ "1 story", "2 stories"."""
    return f"{number} {one if number == 1 else many}"


@dataclass(frozen=True)
class Coverage:
    """Stories, publishers and families count voices; articles alone would count copies."""

    stories: int
    articles: int
    publishers: int
    families: int
    first_at: datetime | None = None
    last_at: datetime | None = None

    def line(self) -> str:
        """ "3 stories: 7 articles, 4 publishers, 2 families". What else is counted one day joins the list here."""
        parts = [
            counted(self.articles, "article", "articles"),
            counted(self.publishers, "publisher", "publishers"),
            counted(self.families, "family", "families"),
        ]
        return f"{counted(self.stories, 'story', 'stories')}: {', '.join(parts)}"
