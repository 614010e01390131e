"""The desk's pages, one noun a file."""

from pipeline.web.pages import board, claims, reviews, visits

ROUTERS = (visits.router, board.router, claims.router, reviews.router)
