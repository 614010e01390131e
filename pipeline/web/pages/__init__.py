"""The desk's pages, one noun a file."""

from pipeline.web.pages import api, board, visits

ROUTERS = (visits.router, board.router, api.router)
