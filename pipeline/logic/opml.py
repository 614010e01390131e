"""Feed lists in OPML. Pure: bytes in, feeds out."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import PermanentError
from pipeline.logic.text import clean


@dataclass(frozen=True)
class Outline:
    """One feed of the list; `category` is the folder it stands in."""

    url: str
    title: str | None
    category: str | None


def parse(content: bytes) -> list[Outline]:
    """The feeds of an OPML file, each address once. Raises PermanentError (code not-opml)."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False)
    try:
        tree = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise PermanentError(f"not an OPML file: {error}", code="not-opml") from error
    if tree is None or etree.QName(tree).localname.lower() != "opml":
        raise PermanentError("not an OPML file: it has no <opml> element", code="not-opml")
    found: dict[str, Outline] = {}
    for outline in tree.iter("outline"):
        attributes = {name.lower(): value for name, value in outline.attrib.items()}
        url = clean(attributes.get("xmlurl", ""))
        if url and url not in found:
            parent = outline.getparent()
            category = parent.get("text") if parent is not None and parent.tag == "outline" else None
            title = clean(attributes.get("title") or attributes.get("text") or "") or None
            found[url] = Outline(url, title, clean(category) if category else None)
    return list(found.values())
