"""Every quarter of an hour: look at the open cases, tell whom it concerns, and do what the rules decided."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task


@dag(
    schedule="5-59/15 * * * *",
    # No start date: the first run is the next one due, so that starting Airflow starts no run.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["contact"],
)
def rounds() -> None:
    """Nobody claimed it, a promise is for tomorrow, a term is near, a team is full. What a stopped clock missed is caught up."""

    @task
    def look() -> int:
        """How many alerts were ordered."""
        from bereik.app import App

        return App.from_env().make_rounds()["alerts"]

    look()


rounds()
