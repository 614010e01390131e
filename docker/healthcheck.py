"""Health for containers: asks Airflow's API server how its components are; exit status 1 if one is not well.

    healthcheck.py scheduler     one or several of metadatabase, scheduler, dag_processor, triggerer; default all
    healthcheck.py desk          the desk of this container

A component is well when its heartbeat in the database is fresh, the desk when its database answers. Standard library
only, so that asking costs little.
"""

from __future__ import annotations

import json
import os
import sys
from urllib.request import ProxyHandler, build_opener

COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


def server() -> str:
    """The API server of this container's Airflow; that of `claimwatch up` where nothing else is said."""
    port = os.environ.get("CLAIMWATCH_AIRFLOW__PORT", "8080")
    url = os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", f"http://127.0.0.1:{port}/execution/")
    return url.removesuffix("/execution/")


def troubles(components: list[str]) -> list[str]:
    try:
        with build_opener(ProxyHandler({})).open(server() + "/api/v2/monitor/health", timeout=8) as answer:
            health = json.load(answer)
    except (OSError, ValueError) as error:
        return [f"the API server does not answer: {error}"]
    found = {name: (health.get(name) or {}).get("status") for name in components}
    return [f"{name}: {status}" for name, status in found.items() if status != "healthy"]


def troubles_of_desk() -> list[str]:
    url = f"http://127.0.0.1:{os.environ.get('CLAIMWATCH_WEB__PORT', '8800')}/healthz"
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=8):
            return []
    except OSError as error:
        return [f"the desk does not answer: {error}"]


if __name__ == "__main__":
    found = troubles_of_desk() if sys.argv[1:] == ["desk"] else troubles(sys.argv[1:] or list(COMPONENTS))
    print("; ".join(found) or "healthy")
    sys.exit(bool(found))
