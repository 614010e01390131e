"""The desk's pages, one noun a file."""

from pipeline.web.pages import board, visits

ROUTERS = (visits.router, board.router)
