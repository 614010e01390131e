"""Puts the desk into Airflow's menu. Airflow reads this folder as its setting core.plugins_folder names it."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from pipeline.airflow_glue import load_settings


class DeskMenu(AirflowPlugin):  # type: ignore[misc]
    """A link, no frame: the desk lets nobody show it inside a page of theirs."""

    name = "claimwatch_desk"
    external_views: ClassVar[list[dict[str, Any]]] = [
        {
            "name": "claimwatch desk",
            "href": load_settings().web.address,
            "destination": "nav",
            "nav_top_level": True,
        }
    ]
