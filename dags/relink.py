"""Every night: place every record of every register anew, under today's rules and what people decided."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task


@dag(
    schedule="30 2 * * *",
    # No start date: the first run is the next one due, so that starting Airflow starts no run.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=10)},
    tags=["linkage"],
)
def relink() -> None:
    """One task per register. What touches an open case is asked of a reviewer, not done; a second run changes nothing."""

    @task
    def registers() -> list[str]:
        """Purpose and municipality of each register; nothing of a person."""
        from bereik.app import App

        return [
            f"{purpose}/{municipality}"
            for purpose, municipality in App.from_env(process="linkage").registers()
        ]

    @task(max_active_tis_per_dagrun=1)
    def place(register: str) -> int:
        """How many signals moved or were put to review."""
        from bereik.app import App

        return App.from_env(process="linkage").relink(*register.split("/")).touched

    place.expand(register=registers())


relink()
