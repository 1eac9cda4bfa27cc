"""A Dagster asset: the records in Salesforce of a folder of events.

SFMAP_PROJECT names the folder with sfmap.yaml, SFMAP_EVENTS a folder or URL of events, or a source of sfmap.yaml.
"""

import os

import dagster as dg

import sfmap


@dg.asset(
    retry_policy=dg.RetryPolicy(max_retries=3, delay=600),
    check_specs=[dg.AssetCheckSpec(name="no_failures", asset="salesforce_records")],
)
def salesforce_records(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    report = sfmap.Project(os.environ["SFMAP_PROJECT"]).run(
        os.environ["SFMAP_EVENTS"],
        on_message=context.log.info,
        on_progress=lambda progress: context.log.info(f"{progress.events} events, {progress.failed} failed"),
    )
    report.raise_for_error()  # the next try goes on where this one ended
    return dg.MaterializeResult(
        metadata={"events": report.events, "created": report.created, "updated": report.updated},
        check_results=[dg.AssetCheckResult(check_name="no_failures", passed=report.failed == 0)],
    )


defs = dg.Definitions(assets=[salesforce_records])
