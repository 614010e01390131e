"""The desk's pages, one noun a file."""

from pipeline.web.pages import api, board, claims, exports, reviews, visits

# A claim's exports before its charts, whose addresses have the same form.
ROUTERS = (visits.router, board.router, exports.router, claims.router, reviews.router, api.router)
