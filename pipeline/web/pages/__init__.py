"""The desk's pages, one noun a file."""

from pipeline.web.pages import articles, board, captures, feeds, search, stories, visits

ROUTERS = (visits.router, board.router, stories.router, articles.router, captures.router, feeds.router, search.router)
