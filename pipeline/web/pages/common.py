"""What the pages share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from pipeline.web.desk import Desk


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskOf = Annotated[Desk, Depends(_desk)]
