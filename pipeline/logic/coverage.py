"""How much evidence a claim has, in the one form in which people are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


def counted(number: int, one: str, many: str) -> str:
    """ "1 story", "2 stories"."""
    return f"{number} {one if number == 1 else many}"


@dataclass(frozen=True)
class Coverage:
    """Stories, publisher families and origins count voices; articles and publishers alone would count copies."""

    stories: int
    articles: int
    publishers: int
    families: int
    origins: int
    first_at: datetime | None = None
    last_at: datetime | None = None

    def line(self) -> str:
        """ "3 stories, 2 families: 7 articles, 4 publishers, 1 origin"."""
        voices = [counted(self.stories, "story", "stories"), counted(self.families, "family", "families")]
        copies = [
            counted(self.articles, "article", "articles"),
            counted(self.publishers, "publisher", "publishers"),
            counted(self.origins, "origin", "origins"),
        ]
        return f"{', '.join(voices)}: {', '.join(copies)}"
