"""An Airflow DAG (Airflow 3) that delivers a folder of events to Salesforce every night.

SFMAP_PROJECT names the folder with sfmap.yaml, SFMAP_EVENTS a folder or URL of events, or a source of sfmap.yaml.
"""

import os
from datetime import datetime, timedelta

from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1)
def events_to_salesforce():
    @task(retries=3, retry_delay=timedelta(minutes=10))
    def deliver() -> dict:
        import sfmap

        report = sfmap.Project(os.environ["SFMAP_PROJECT"]).run(os.environ["SFMAP_EVENTS"])
        report.raise_for_error()  # the next try goes on where this one ended
        return report.as_dict()

    @task
    def check(counts: dict) -> None:
        if counts["failed"]:
            raise ValueError(f"{counts['failed']} records failed: {counts['failures']}")

    check(deliver())


events_to_salesforce()
