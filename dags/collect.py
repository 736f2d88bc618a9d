"""Every five minutes: publish the files that partners delivered. One task for each partner with a file waiting."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task


@dag(
    schedule="*/5 * * * *",
    # No start date: the first run is the next one due, so that starting Airflow starts no run.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    # A file stays where it is until Kafka has it all, so trying again is always safe.
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=["door"],
)
def collect() -> None:
    """File door: drop folder → in.<partner>."""

    @task
    def waiting() -> list[str]:
        """Partner ids."""
        from bereik.app import App

        return App.from_env().waiting()

    @task(max_active_tis_per_dagrun=2)
    def publish(partner: str) -> int:
        """How many rows were published."""
        from bereik.app import App

        return App.from_env().collect(partner).published

    publish.expand(partner=waiting())


collect()
