# make demo   everything set up, and the main job played on sample content
# make test   the tests, on both PostgreSQL versions that the embedded server carries
PYTHON ?= python3
VENV ?= .venv
# PyTorch's CPU build is a fifth of the size of the CUDA build that PyPI has for Linux:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
BIN := $(VENV)/bin

.PHONY: demo test bench-stream lint docs setup clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile | head -2

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" VENV="$(VENV)" TORCH_INDEX="$(TORCH_INDEX)" sh scripts/setup.sh

demo: setup
	@$(BIN)/claimwatch demo

test: setup
	@$(BIN)/python -m pytest

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

docs: setup
	@$(BIN)/python scripts/docs.py
