"""Every morning and on demand: judge what each partner landed in the last day, and our own tables."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import dag, get_current_context, task


def _day() -> tuple[datetime, datetime]:
    """The day that ends with this run, so that a second attempt judges the same rows."""
    end = get_current_context()["dag_run"].run_after
    return end - timedelta(days=1), end


@dag(
    schedule="0 5 * * *",
    # No start date: the first run is the next one due, so that starting Airflow starts no run.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["quality"],
)
def quality() -> None:
    """Great Expectations over sets: a window per partner, and the invariants."""

    @task
    def partners() -> list[str]:
        """Partner ids."""
        from bereik.app import App

        return App.from_env().landed_partners(*_day())

    @task(max_active_tis_per_dagrun=2)
    def landed(partner: str) -> int:
        """How many rules did not hold; each is logged by name. A critical one also fails the task."""
        from bereik.app import App

        return App.from_env().judge_landed(partner, *_day()).report(partner)

    @task(retries=0)
    def tables() -> int:
        """How many rules our own tables break: none, or the task fails."""
        from bereik.app import App

        return App.from_env().judge_tables().report("bereik")

    landed.expand(partner=partners())
    tables()


quality()
