"""The XML reader that feedparser is given: the standard one, told to hand over text in one piece.

Without that, expat calls back at every entity and line, and escaped HTML has dozens of them in a paragraph.
"""

from __future__ import annotations

from typing import Any
from xml.sax import expatreader

NAME = __name__


class Reader(expatreader.ExpatParser):
    def reset(self) -> None:
        super().reset()
        parser: Any = self._parser  # type: ignore[attr-defined]
        parser.buffer_text = True
        parser.buffer_size = 65_536


def create_parser() -> Reader:
    """What xml.sax.make_parser asks of a module that is named to it."""
    return Reader()
