"""Every day: make the national delivery of last month where it is not there yet, and remove old ones."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task


@dag(
    schedule="30 4 * * *",
    # No start date: the first run is the next one due, so that starting Airflow starts no run.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=10)},
    tags=["ddas"],
)
def delivery() -> None:
    """A day without Airflow is caught up the next day; a file that is there is not made again."""

    @task
    def deliver() -> int:
        """How many deliveries were made."""
        from bereik.app import App

        return App.from_env(process="delivery").deliver_month()

    deliver()


delivery()
