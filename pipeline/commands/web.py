"""web: the analysts' desk in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.adapters import database
from pipeline.commands.common import load_settings
from pipeline.errors import ConfigurationError
from pipeline.terminal import console


def web(
    host: Annotated[str | None, typer.Option(help="Where to listen; else [web] host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; else [web] port.", min=1, max=65535)] = None,
) -> None:
    """Serve the desk until Ctrl-C: board, claims, stories, search, reviews and an API, in a browser."""
    import uvicorn

    from pipeline.web.app import create

    settings = load_settings()
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"web": settings.web.model_copy(update=given)})
    if settings.database.dsn is None:
        database.embedded_server(settings).start()
    app = create(settings)
    console.print(f"The desk: {app.state.desk.public_url}  (Ctrl-C ends it)")
    config = uvicorn.Config(
        app,
        host=settings.web.host,
        port=settings.web.port,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # nothing here asks where a request came from
        timeout_graceful_shutdown=10,
    )
    try:
        uvicorn.Server(config).run()
    except OSError as error:
        raise ConfigurationError(f"{settings.web.host}:{settings.web.port}: {error.strerror}") from error
