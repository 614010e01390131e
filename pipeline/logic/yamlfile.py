"""Reads YAML that people edit: every mistake is reported with file, line and reason, all of them at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from pipeline.errors import ConfigurationError

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2}")


def compose(content: str, file: str) -> Any:
    """The YAML tree, None for an empty file. Raises ConfigurationError as `file:line: reason`."""
    try:
        return yaml.compose(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.reader.ReaderError as error:
        line = content.count("\n", 0, error.position) + 1
        raise ConfigurationError(f"{file}:{line}: not valid YAML: a character that can't be printed") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        reason = getattr(error, "problem", None) or str(error)
        raise ConfigurationError(f"{file}:{line}: not valid YAML: {reason}") from error


class Reader:
    """Walks the YAML tree, whose nodes know their lines, and collects mistakes instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[tuple[int, str]] = []

    def wrong(self, node: Any, reason: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 1
        self.mistakes.append((line, reason))

    def check(self) -> None:
        """Raises ConfigurationError with every mistake found so far, in the order of lines."""
        if self.mistakes:
            told = (f"{self.file}:{line}: {reason}" for line, reason in sorted(self.mistakes))
            raise ConfigurationError("\n".join(told))

    def language(self, language: str, node: Any, place: str) -> None:
        if not _LANGUAGE.fullmatch(language):
            self.wrong(node, f"{place}: {language!r} is not a two-letter language code")

    def mapping(
        self, node: Any, place: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        found = dict(self.items(node, place))
        for key, _ in node.value if found else ():
            if str(key.value) not in (*required, *optional):
                known = ", ".join((*required, *optional))
                self.wrong(key, f"{place} has no key {str(key.value)!r}; known are {known}")
        for key in required:
            if key not in found:
                self.wrong(node, f"{place} lacks {key!r}")
        return found

    def items(self, node: Any, place: str) -> Iterator[tuple[str, Any]]:
        if not isinstance(node, yaml.MappingNode):
            if node is not None:
                self.wrong(node, f"{place} must be a mapping (key: value)")
            return
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(key, f"{place}: a key must be a text")
                continue
            if key.value in seen:
                self.wrong(key, f"{place}: the key {key.value!r} stands here twice")
            seen.add(key.value)
            yield str(key.value), value

    def sequence(self, node: Any, place: str) -> list[Any]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if node is not None:
            self.wrong(node, f"{place} must be a list")
        return []

    def text(self, node: Any, place: str) -> str:
        if isinstance(node, yaml.ScalarNode) and node.value.strip():
            return str(node.value).strip()
        if node is not None:
            self.wrong(node, f"{place} must be a text and not be empty")
        return ""

    def identifier(self, node: Any, place: str) -> str:
        text = self.text(node, place)
        if text and not _ID.fullmatch(text):
            self.wrong(node, f"{place}: {text!r} must be small letters, digits and single hyphens")
        return text
