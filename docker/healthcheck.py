"""Health for containers: asks Airflow's API server how its components are; exit status 1 if one is not well.

    healthcheck.py scheduler     one or several of metadatabase, scheduler, dag_processor, triggerer; default all
    healthcheck.py desk          the desk of this container
    healthcheck.py listen        `claimwatch listen`: asks the database whether it is connected

A component is well when its heartbeat in the database is fresh, the desk when its database answers. Asking costs
little: of Airflow and the desk with the standard library alone.
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


def desk_troubles() -> list[str]:
    url = f"http://127.0.0.1:{os.environ.get('CLAIMWATCH_WEB__PORT', '8800')}/healthz"
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=8):
            return []
    except OSError as error:
        return [f"the desk does not answer: {error}"]


def listener_troubles() -> list[str]:
    """The listener shows itself by its application_name."""
    import psycopg

    query = "select count(*) from pg_stat_activity where application_name = %s and datname = current_database()"
    try:
        with psycopg.connect(os.environ["CLAIMWATCH_DATABASE__DSN"], connect_timeout=8) as conn:
            (listening,) = conn.execute(query, ["claimwatch listen"]).fetchone() or (0,)
    except psycopg.Error as error:
        return [f"the database does not answer: {type(error).__name__}"]  # the text may quote the password
    return [] if listening else ["listen: not connected to the database"]


if __name__ == "__main__":
    asked = sys.argv[1:]
    others = {"desk": desk_troubles, "listen": listener_troubles}
    found = others[asked[0]]() if asked and asked[0] in others else troubles(asked or list(COMPONENTS))
    print("; ".join(found) or "healthy")
    sys.exit(bool(found))
