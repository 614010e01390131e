"""The command line, a file for each kind of work; pipeline/cli.py puts them together."""
