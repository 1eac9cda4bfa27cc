"""Delivers a topic, with what `open_run` opened."""

from dataclasses import replace

from sfmap.engine.api.opening_runs import OpenRun
from sfmap.engine.api.run_report import RunReport
from sfmap.engine.api.runs import named_mappings
from sfmap.engine.delivery.deliver_all import RunListener
from sfmap.engine.delivery.progress import Progress
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.errors import SfmapError
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.sources.event_source import Position
from sfmap.engine.sources.kafka.topic import Topic
from sfmap.engine.wiring.org_opening import sign_in
from sfmap.engine.workers.topic_worker import TopicWorker, WorkerOptions, WorkerPorts


def run_topic(run: OpenRun, topic: Topic, mapper: Mapper, options: WorkerOptions) -> RunReport:
    """Delivers the topic's events until the run is stopped, or to their present end."""
    run.options.say(f"Delivering to {run.opened.where}. Mappings: {named_mappings(mapper.mappings)}.")
    report = Report()
    listener = RunListener(report, run.opened.org, None)
    key: str | None = None
    interruption: SfmapError | None = None
    held = 0

    def tell_progress(position: Position) -> None:
        failed = report.fates["failed"]
        run.options.on_progress(Progress(events=report.events, failed=failed, position=position))

    try:
        key = sign_in(run.opened, run.state.journal, run.options.waiter())
        ports = WorkerPorts(
            journal=run.state.journal,
            lease=lambda part: run.state.lease(key, run.command, part=part, gives_way=True),
            org=run.opened.org,
            bulk=run.opened.bulk,
            key=key,
            mapper=mapper,
            options=replace(run.options, skip_delivered=True, ids_by_source=True),
            listener=listener,
            on_commit=tell_progress,
        )
        worker = TopicWorker(topic, options, ports)
        try:
            worker.run()
        finally:
            held = worker.held
    except StopRequested as stopped:  # which is how it ends, unless it has an end
        interruption = stopped if options.until_end else None
    except SfmapError as error:
        interruption = error
    listener.count_calls()
    report.end(run.opened.org.usage(), held)
    return run.end(run.report_of(report, interruption, key))
