# make demo   everything set up, and the main job played on sample content
# make test   the tests, on both PostgreSQL versions that the embedded server carries
PYTHON ?= python3
VENV ?= .venv
# PyTorch's CPU build is a fifth of the size of the CUDA build that PyPI has for Linux:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
BENCH ?=
SHOTS ?=
# Options of pytest: two processes, since the tests wait as much as they count. One test file stays in one of them.
TESTS ?= -n 2 --dist loadfile
BIN := $(VENV)/bin
BENCHES := stream eval ablation clef match search hybrid replay origins stories figures numerals poll schedule feeds archive backfill extract

.PHONY: help setup demo test lint docs screenshots soak soak-alerts $(BENCHES:%=bench-%)
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile | head -2

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" VENV="$(VENV)" TORCH_INDEX="$(TORCH_INDEX)" sh scripts/setup.sh

demo: setup
	@$(BIN)/claimwatch demo

test: setup
	@echo "All tests, on PostgreSQL 18 ..."
	@$(BIN)/python -m pytest $(TESTS) --durations=8
	@echo "The database's tests again, on PostgreSQL 16 ..."
	@PG_MAJOR=16 $(BIN)/python -m pytest $(TESTS) -m "database and (not model or end_to_end)"

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

# A day's numbers: make bench-stream BENCH="--items 500"
bench-stream: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/stream.py $(BENCH)

# The find step on CLEF's tweets and claims; vectors are made first, which takes minutes
bench-clef: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/clef.py $(BENCH)

# A first look: make bench-match BENCH="--items 2000 --sizes 2000,10000"
bench-match: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/match.py $(BENCH)

# Search by meaning among a million paragraphs; a smaller run: make bench-search BENCH="--paragraphs 50000"
bench-search: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/search.py $(BENCH)

bench-eval: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/evaluate.py $(BENCH)

# What each part of the matcher is worth: make bench-ablation BENCH="--only features"
bench-ablation: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/ablation.py $(BENCH)

bench-origins: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/origins.py $(BENCH)

# What is read wrong, of the development set: make bench-figures BENCH="--split dev --errors"
bench-figures: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/figures.py $(BENCH)

bench-stories: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/stories.py $(BENCH)

# Search by meaning, by words and by both: make bench-hybrid BENCH="--splits test"; other fusions: BENCH=--tune
bench-hybrid: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/hybrid.py $(BENCH)

# Every mail of the sample newsroom's seven months, judged by its labels: make bench-replay BENCH="--labels FOLDER"
bench-replay: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/replay_alerts.py $(BENCH)

# How long quantities take to find: make bench-numerals BENCH=data/stream
bench-numerals: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/numerals.py $(BENCH)

# Polling beside lemon24/reader, which gets an environment of its own
bench-poll: setup $(VENV)/peers/reader/.ready
	@PYTHONPATH=. $(BIN)/python benchmarks/poll.py --reader $(VENV)/peers/reader/bin/python $(BENCH)

$(VENV)/peers/reader/.ready:
	@$(PYTHON) -m venv $(VENV)/peers/reader
	@$(VENV)/peers/reader/bin/pip install --quiet reader==3.26 sgmllib3k==1.0.0
	@touch $@

# How late news are seen, and with how many requests: make bench-schedule BENCH="--sources"
bench-schedule: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/schedule.py $(BENCH)

# poll and fetch killed 50 times while they work: make soak BENCH="--feeds 100 --kills 20"
soak: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/kill.py $(BENCH)

# Senders of 1,000 alerts killed 30 times while they send: make soak-alerts BENCH="--alerts 200 --kills 10"
soak-alerts: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/soak_alerts.py $(BENCH)

# Pages a second through a web archive's file: make bench-backfill BENCH="--size 50"
bench-backfill: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/backfill.py $(BENCH)

# Texts out of real pages, beside three other extractors, which get a virtual environment of their own
bench-extract: setup .bench/extract/.ready
	@PYTHONPATH=. $(BIN)/python benchmarks/extract.py --peers .bench/extract/bin/python $(BENCH)

.bench/extract/.ready:
	@echo "newspaper4k and news-please in .bench/extract ..."
	@$(PYTHON) -m venv .bench/extract
	@.bench/extract/bin/python -m pip install --quiet --disable-pip-version-check "newspaper4k[all]==0.9.6" news-please==1.6.16
	@touch $@

# The desk's pages and mails as images in docs/img, from a home that the demo has filled: make screenshots SHOTS="--home .demo"
screenshots: setup
	@PYTHONPATH=. $(BIN)/python scripts/screenshots.py $(SHOTS)

docs: setup
	@$(BIN)/python scripts/docs.py
	@$(BIN)/python scripts/cookbook.py

# A corpus of your own, and what is read otherwise than expected: make bench-feeds BENCH="FOLDER --differ"
bench-feeds: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/feeds.py $(BENCH)

# Bytes and milliseconds a page: make bench-archive BENCH="--pages folder"
bench-archive: setup
	@PYTHONPATH=. $(BIN)/python benchmarks/archive.py $(BENCH)
