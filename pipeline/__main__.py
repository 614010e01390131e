"""`python -m pipeline` is `claimwatch`."""

from pipeline.cli import main

main()
