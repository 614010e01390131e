"""The desk's pages, one noun a file."""

from pipeline.web.pages import (
    api,
    articles,
    board,
    captures,
    claims,
    exports,
    feeds,
    mail,
    reviews,
    search,
    stories,
    subscriptions,
    visits,
)

ROUTERS = (
    visits.router,
    board.router,
    exports.router,
    claims.router,
    reviews.router,
    stories.router,
    articles.router,
    captures.router,
    feeds.router,
    search.router,
    subscriptions.router,
    mail.router,
    api.router,
)
