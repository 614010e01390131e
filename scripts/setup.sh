#!/bin/sh
# Makes the virtual environment with the pinned dependencies. Safe to repeat.
set -eu
say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v "$PYTHON" >/dev/null 2>&1 || fail "there is no $PYTHON: install Python 3.11 or newer, or say make PYTHON=/path/to/python3.12"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || fail "$("$PYTHON" --version) is too old: 3.11 or newer is needed (make PYTHON=/path/to/python3.12)"
if [ ! -x "$VENV/bin/python" ]; then
  say "virtual environment in $VENV ..."
  "$PYTHON" -m venv "$VENV" || fail "venv failed: on Debian and Ubuntu, apt-get install python3-venv"
fi
pip() { "$VENV/bin/python" -m pip --disable-pip-version-check "$@"; }
if [ -n "${TORCH_INDEX:-}" ]; then
  say "PyTorch from $TORCH_INDEX ..."
  pip install --quiet --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)" || fail "PyTorch could not be installed from $TORCH_INDEX"
fi
say "dependencies, pinned by constraints.txt ... (the first time some minutes: about 2 GB)"
pip install --progress-bar off --constraint constraints.txt --editable '.[dev]' 2>&1 \
  | grep --line-buffered -E '^(Collecting|ERROR|error|Successfully)' | sed -u 's/^\(.\{100\}\).*/\1.../' \
  || true
"$VENV/bin/python" -c 'import airflow, feedparser, trafilatura, sentence_transformers, psycopg, pgvector' \
  || fail "the installation is not complete: see pip's messages above (network? disk space: $(df -h . | awk 'NR==2{print $4}') free)"
touch "$VENV/.ready"
say "ready"
