"""The API's OpenAPI document in the form that its page shows: groups of operations with parameters and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Field:
    """A parameter of an address, or a column of a row."""

    name: str
    kind: str
    says: str
    required: bool = False


@dataclass(frozen=True)
class Operation:
    name: str
    path: str
    summary: str
    in_path: tuple[Field, ...]
    in_query: tuple[Field, ...]
    columns: tuple[Field, ...]
    listed: bool

    def example(self, claim: str) -> str:
        """The address with some values in it."""
        path = self.path
        for field in self.in_path:
            path = path.replace(f"{{{field.name}}}", quote(claim, safe="") if field.kind == "text" else "1")
        names = {field.name for field in self.in_query}
        wanted = (("q", "Kursk"), ("since", "2024-11-01"), ("format", "csv"))
        query = {name: value for name, value in wanted if name in names}
        return path + (f"?{urlencode(query)}" if query else "")


def described_operations(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """{group: operations}, both in the document's order."""
    found: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for one in item.values():
            found.setdefault(one["tags"][0], []).append(_operation(document, path, one))
    return found


def _operation(document: dict[str, Any], path: str, one: dict[str, Any]) -> Operation:
    parameters = {
        place: tuple(
            Field(p["name"], _kind(p["schema"]), p.get("description", ""), p.get("required", False))
            for p in one.get("parameters", ())
            if p["in"] == place
        )
        for place in ("path", "query")
    }
    row = _resolved(document, one["responses"]["200"]["content"]["application/json"]["schema"])
    listed = "rows" in row["properties"]
    if listed:
        row = _resolved(document, row["properties"]["rows"]["items"])
    columns = tuple(
        Field(name, _kind(schema), schema.get("description", "")) for name, schema in row["properties"].items()
    )
    return Operation(one["operationId"], path, one["summary"], parameters["path"], parameters["query"], columns, listed)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema["$ref"].removeprefix("#/components/schemas/") if "$ref" in schema else None
    found: dict[str, Any] = schema if name is None else document["components"]["schemas"][name]
    return found


def _kind(schema: dict[str, Any]) -> str:
    """In words: text, number, moment, day, duration; "or empty" where it may be."""
    if "anyOf" in schema:
        kinds = [_kind(part) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(kinds)
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    formats = {"date-time": "moment", "date": "day", "duration": "duration"}
    words = {"string": "text", "integer": "whole number", "boolean": "yes or no", "object": "object"}
    kind = str(schema.get("type", "any"))
    return formats.get(schema.get("format", "")) or words.get(kind, kind)
