"""The analysts' desk in a browser: pages, exports and an API over schema `analysis`. `claimwatch web` serves it."""
