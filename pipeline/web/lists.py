"""A list of the desk in the form that is asked for: a page of it as JSON, or the whole as CSV or JSON Lines.

A whole list is written to a temporary file before the first byte is sent: a slow reader holds no connection to the
database, and what goes wrong half-way is an error and no file that looks complete.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Annotated, Any, Literal, TypeVar, cast

from fastapi import HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from pipeline.adapters import database
from pipeline.logic import csvtext
from pipeline.web.desk import Desk
from pipeline.web.rows import Listed, Row

MOST = 1000  # rows of one page
WHOLE = 100_000  # rows of a whole list
AT_ONCE = 500  # rows read from the database together
IN_MEMORY = 4 << 20  # bytes of a file that is not yet worth a place on disk
PIECE = 64 << 10

Form = Annotated[
    Literal["json", "csv", "jsonl"],
    Query(
        alias="format",
        description="json: one page. csv and jsonl: all of it, as a file. CSV is UTF-8 with a byte order mark, and a "
        "text that a spreadsheet would run as a formula has an apostrophe before it.",
    ),
]
Size = Annotated[int, Query(ge=1, le=MOST, description="Rows a page; for format=json.")]
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
OF_LIST: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}}
    }
}

One = TypeVar("One", bound=Row)


class Asked:
    """Which part of a list in which form; the same parameters for every list."""

    def __init__(
        self,
        request: Request,
        form: Form = "json",
        size: Size = 100,
        page: Annotated[int, Query(ge=1, le=10_000, description="Which page, from 1; for format=json.")] = 1,
    ) -> None:
        self.request, self.form, self.size, self.page = request, form, size, page
        self.note: str | None = None

    def answer(self, desk: Desk, model: type[One], statement: str, name: str, **values: Any) -> Listed[One]:
        """`name` is what the file is called, without its ending. A file is an answer that FastAPI sends as it is."""
        if self.form == "json":
            rows = desk.rows(statement, most=self.size + 1, skipped=(self.page - 1) * self.size, **values)
            shown = [model.model_validate(row) for row in rows[: self.size]]
            following = self._next() if len(rows) > self.size else None
            return Listed[model](rows=shown, page=self.page, next=following, note=self.note)  # type: ignore[valid-type]
        with desk.analyst() as conn:
            file = _whole(conn, self.form, list(model.model_fields), statement, values, model.model_validate)
        return cast("Listed[One]", sent(file, TYPES[self.form], f"{name}.{self.form}"))

    def _next(self) -> str | None:
        url = self.request.url.include_query_params(page=self.page + 1)
        return f"{url.path}?{url.query}"


def _whole(
    conn: database.Connection,
    form: str,
    columns: list[str],
    statement: str,
    values: dict[str, Any],
    model: Callable[[Any], Row],
) -> IO[bytes]:
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    try:
        if form == "csv":
            file.write((csvtext.MARK + csvtext.line(columns)).encode())
        # A cursor on the server: of a hundred thousand rows no more than AT_ONCE are held here.
        with conn.transaction(), conn.cursor(name="whole") as cursor:
            cursor.itersize = AT_ONCE
            cursor.execute(database.statement(statement), {**values, "most": WHOLE + 1, "skipped": 0})
            for number, row in enumerate(cursor):
                if number == WHOLE:
                    raise HTTPException(422, f"that is more than {WHOLE:,} rows: narrow the filters")
                text = (
                    csvtext.line([getattr(row, column) for column in columns])
                    if form == "csv"
                    else model(row).model_dump_json() + "\n"
                )
                file.write(text.encode())
    except BaseException:
        file.close()
        raise
    return file


def sent(file: IO[bytes], media_type: str, name: str) -> StreamingResponse:
    """A file from its beginning, to be saved under `name`; closed at the end, also where the reader went away."""
    size = file.seek(0, 2)
    file.seek(0)

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(PIECE):
                yield piece

    headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{csvtext.file_name(name)}"'}
    return StreamingResponse(pieces(), headers=headers, media_type=media_type, background=BackgroundTask(file.close))
