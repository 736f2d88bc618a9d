"""Every quarter: propose what each comparison of two records weighs, for a person to review."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task


@dag(
    schedule="0 3 1 1,4,7,10 *",
    # No start date: the first run is the next one due, so that starting Airflow starts no run.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=10)},
    tags=["linkage"],
)
def train() -> None:
    """Splink over one register → proposed/linkage.weights.json. Activating it is a decision, made by hand."""

    @task
    def propose() -> int:
        """How many records the proposal rests on; 0 when no register has enough."""
        from bereik.app import App

        return App.from_env(process="linkage").propose_weights()

    propose()


train()
