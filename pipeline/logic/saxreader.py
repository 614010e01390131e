"""The XML reader that feedparser is given: the standard one, but for two things.

It hands over text in one piece. Without that, expat calls back at every entity and line, and escaped HTML has dozens of
them in a paragraph. And what describes a picture is called a caption: feedparser knows one description an entry, and
takes a second one, whose ever it is, for the entry's text.
"""

from __future__ import annotations

from typing import Any
from xml.sax import expatreader

NAME = __name__
CAPTION = "media_caption"  # feedparser's name for it then
_MEDIA = "http://search.yahoo.com/mrss"


class Reader(expatreader.ExpatParser):
    def reset(self) -> None:
        super().reset()
        parser: Any = self._parser  # type: ignore[attr-defined]
        parser.buffer_text = True
        parser.buffer_size = 65_536

    def start_element_ns(self, name: str, attrs: Any) -> None:
        if name.startswith(_MEDIA) and " description" in name:
            name, attrs = name.replace(" description", " caption"), {}
        super().start_element_ns(name, attrs)

    def end_element_ns(self, name: str) -> None:
        super().end_element_ns(name.replace(" description", " caption") if name.startswith(_MEDIA) else name)


def create_parser() -> Reader:
    """What xml.sax.make_parser asks of a module that is named to it."""
    return Reader()
