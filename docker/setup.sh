#!/bin/sh
# The one-shot service `setup`: both databases, Airflow's login, the claims. Safe to repeat.
set -eu
claimwatch migrate
airflow db migrate
# The file that Airflow reads: user to password.
python - <<'PYTHON'
import json
import os
from pathlib import Path

file = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
file.touch(mode=0o600)
file.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}) + "\n", encoding="utf-8")
PYTHON
claimwatch claims load "$CLAIMS_FILE"
