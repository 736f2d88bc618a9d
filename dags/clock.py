"""Every quarter of an hour: remove what landed or was collected and whose term has passed; match the months that can be; tell
partners how often the register knew their people otherwise."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task


@dag(
    schedule="*/15 * * * *",
    # No start date: the first run is the next one due, so that starting Airflow starts no run.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["privacy"],
)
def clock() -> None:
    """Sweeps. Each catches up with whatever a stopped clock left behind."""

    @task
    def landed() -> int:
        """How many landed records were removed from the partners' topics."""
        from bereik.app import App

        return App.from_env().sweep()

    @task
    def files() -> int:
        """How many collected files were removed from the drop folder."""
        from bereik.app import App

        return App.from_env().expire_files()

    @task
    def matched() -> int:
        """How many cases were decided because their month could be matched."""
        from bereik.app import App

        return App.from_env().match()

    @task
    def checks() -> int:
        """How many answers of the registers, offers of movers' cases and forms of the board were removed as their terms passed."""
        from bereik.app import App

        return App.from_env().forget()

    @task
    def rates() -> int:
        """How many months were told to a partner."""
        from bereik.app import App

        return App.from_env().inquiries.tell_rates()

    # One after the other: each starts a process, and there is no hurry.
    landed() >> files() >> checks() >> matched() >> rates()


clock()
