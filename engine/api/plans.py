"""Plans a run: delivers to a stand-in for the org with a copy of the journal, and sums up the writes."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace

import orjson

from sfmap.engine.api.opening_runs import run_options
from sfmap.engine.api.runs import named_mappings
from sfmap.engine.delivery.commits import Delivered, OutputState
from sfmap.engine.delivery.deliver_all import RunOptions, make_delivery
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.resuming import resume
from sfmap.engine.files.output import NO_RESULTS, Output
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.planning.journal_copy import journal_copy
from sfmap.engine.planning.plan_summary import ObjectSummary, PlanSummary, changes
from sfmap.engine.planning.planned_records import PlannedRecords
from sfmap.engine.planning.rehearsal_org import RehearsalOrg
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import ResumableSource
from sfmap.engine.wiring.org_opening import OpenOrg, open_org, sign_in


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """The keywords of `Project.plan`, with their defaults."""

    org: str | None = None
    restart: bool = False
    skip_delivered: bool = False
    max_calls: int | None = None
    out_file: str | None = None
    should_stop: Callable[[], bool] = lambda: False
    on_message: Callable[[str], object] = lambda text: None


def plan_source(
    project: ProjectFile, source: ResumableSource, mapper: Mapper, settings: PlanSettings
) -> PlanSummary:
    """What a run would do. Raises what keeps a run from starting, and what would end it early."""
    options = replace(
        run_options(project, settings.org, 1, settings.on_message),
        should_stop=settings.should_stop,
        skip_delivered=settings.skip_delivered,
    )
    journal = None if project.shared_state else project.state / "journal.db"
    out: AbstractContextManager[Output | None] = nullcontext()
    if settings.out_file is not None:
        out = Output(settings.out_file)
    with (
        out as opened_out,
        journal_copy(journal) as database,
        open_org(project, project.org(settings.org), settings.max_calls) as opened,
        closing(PlannedRecords(mapper.lookups)) as records,
    ):
        names = named_mappings(mapper.mappings)
        settings.on_message(f"Planning for {opened.where}; nothing is written there. Mappings: {names}.")
        key = sign_in(opened, database, options.waiter())
        ledger = Ledger(database, key, source.name, is_stream=source.is_stream)
        if opened_out:
            opened_out.continue_from(NO_RESULTS)
        rehearsal = _Rehearsal(opened=opened, records=records, out=opened_out)
        rehearsal.deliver(source, mapper, ledger, options, settings.restart)
        return rehearsal.summary(mapper)


@dataclass(kw_only=True)
class _Rehearsal:
    """One delivery to the stand-in, and what came of it."""

    opened: OpenOrg
    records: PlannedRecords
    out: Output | None
    report: Report = field(default_factory=Report)
    started: float = field(default_factory=time.monotonic)

    def deliver(
        self, source: ResumableSource, mapper: Mapper, ledger: Ledger, options: RunOptions, restart: bool
    ) -> None:
        resumed = resume(ledger, source, restart)
        if resumed.words:
            options.say(resumed.words)
        org = RehearsalOrg(self.opened.org, self.records)
        delivery = make_delivery(mapper, org, ledger, options, self)
        delivery.deliver(resumed.source, resumed.start)
        self.report.end(self.opened.org.usage(), delivery.held)

    def tell(self, delivered: Delivered) -> OutputState:
        self.report.add(delivered.outcomes, delivered.events)
        for outcome in delivered.outcomes:
            if outcome.id:
                self.records.add_event(outcome.id, outcome.event)
            elif outcome.fate == "failed":
                self._write(outcome.as_json())
        return OutputState()

    def summary(self, mapper: Mapper) -> PlanSummary:
        written = [name for name in mapper.objects if name in self.opened.org.object_names()]
        described = self.opened.org.describe(written) if written else {}
        objects: dict[str, ObjectSummary] = {}
        for one in changes(self.records, described):
            objects.setdefault(one.record.object_name, ObjectSummary()).add(one)
            self._write(one.as_json())
        self.report.spend(self.opened.org.calls(), time.monotonic() - self.started)
        return PlanSummary(report=self.report, objects=objects)

    def _write(self, line: dict[str, object]) -> None:
        if self.out:
            self.out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
