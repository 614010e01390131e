"""The desk's pages, one noun a file."""

from pipeline.web.pages import api, articles, board, captures, claims, exports, feeds, reviews, search, stories, visits

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
    api.router,
)
