"""The few calls of Airflow's REST API (/api/v2) that claimwatch needs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from pipeline.errors import ConfigurationError, PermanentError, TransientError

PAGE = 100  # Airflow's own maximum (api.maximum_page_limit)


class AirflowApi:
    """A client for one API server, for instance AirflowApi("http://127.0.0.1:8080", "admin", password).

    Every call raises TransientError when the server does not answer or fails, ConfigurationError when it
    refuses the login, PermanentError when it refuses the request. Proxies are not used.
    """

    def __init__(self, url: str, user: str, password: str, timeout: float = 30.0) -> None:
        self._user = user
        self._password = password
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._token: str | None = None

    def __enter__(self) -> AirflowApi:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def token(self) -> str:
        """Log in and return the bearer token (valid for a day)."""
        login = {"username": self._user, "password": self._password}
        response = self._send("POST", "/auth/token", json=login)
        if response.status_code in {401, 403}:
            raise ConfigurationError(f"Airflow refuses the login of {self._user!r}")
        self._token = str(_content(response)["access_token"])
        return self._token

    def health(self) -> dict[str, dict[str, str | None]]:
        """Status and last heartbeat of database, scheduler, triggerer, dag_processor; needs no login."""
        return dict(_content(self._send("GET", "/api/v2/monitor/health")))

    def dags(self) -> list[dict[str, Any]]:
        return self._list("/api/v2/dags", "dags")

    def import_errors(self) -> list[dict[str, Any]]:
        """DAG files that don't load: `filename`, `stack_trace`."""
        return self._list("/api/v2/importErrors", "import_errors")

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The latest runs, newest first: `dag_run_id`, `state`, `run_after`, `start_date`, `conf`."""
        path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns"
        return self._list(path, "dag_runs", order_by="-run_after")

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run: `task_id`, `map_index`, `state`, `try_number`, `duration`."""
        run = f"{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
        return self._list(f"/api/v2/dags/{run}/taskInstances", "task_instances")

    def unpause(self, dag_id: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{quote(dag_id, safe='')}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run by hand; returns its id."""
        body = {"logical_date": None, "conf": conf or {}}
        return str(self._call("POST", f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns", json=body)["dag_run_id"])

    def _list(self, path: str, key: str, **params: str) -> list[dict[str, Any]]:
        return list(self._call("GET", path, params={"limit": PAGE, **params})[key])

    def _call(self, method: str, path: str, **options: Any) -> Any:
        token = self._token or self.token()
        response = self._send(method, path, headers={"Authorization": f"Bearer {token}"}, **options)
        if response.status_code == 401:  # ours has expired, or the server was made anew
            headers = {"Authorization": f"Bearer {self.token()}"}
            response = self._send(method, path, headers=headers, **options)
        return _content(response)

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise TransientError(f"Airflow's API server does not answer on {self._client.base_url}: {error}") from error


def _content(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    said = f"Airflow answers {response.status_code} to {response.request.url.path}: {response.text[:500]}"
    raise TransientError(said) if response.is_server_error else PermanentError(said)
