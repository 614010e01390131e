"""The desk's pages, one noun a file."""

from pipeline.web.pages import api, articles, board, captures, claims, exports, feeds, reviews, search, stories, visits

ROUTERS = (
    visits.router,
    board.router,
    exports.router,  # before a claim's charts, whose addresses have the same form
    claims.router,
    reviews.router,
    stories.router,
    articles.router,
    captures.router,
    feeds.router,
    search.router,
    api.router,
)
