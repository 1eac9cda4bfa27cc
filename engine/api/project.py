"""A project as a Python program uses it: renders and explains events, checks mappings, and runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Unpack, cast

from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import ChosenMappings, chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import ProjectFile, load_project, project_folder
from sfmap.engine.sources.event_source import ResumableSource, SourceFailed
from sfmap.engine.sources.stores.standard_input import STANDARD_INPUT
from sfmap.engine.wiring.source_opening import SourceOptions, open_source
from sfmap.engine.yaml_files.files import CannotRead

# Most of what a method needs is imported by it: all together takes longer than many a command.
if TYPE_CHECKING:
    from sfmap.engine.api.dead_letter_lines import DeadLetters
    from sfmap.engine.api.explained_event import Explanation
    from sfmap.engine.api.opening_runs import RunKeywords, RunSettings
    from sfmap.engine.api.payloads import Payload
    from sfmap.engine.api.run_report import RunReport
    from sfmap.engine.inspect.project_check import ProjectCheck
    from sfmap.engine.planning.plan_summary import PlanSummary
    from sfmap.engine.sources.given_events import GivenEvent
    from sfmap.engine.sources.kafka.topic import Topic
    from sfmap.engine.yaml_files.diagnostics import Diagnostic

FileName = str | os.PathLike[str]


def _log(message: str) -> None:
    """Logs the message as `sfmap`."""
    import logging

    logging.getLogger("sfmap").info(message)


class Project:
    """The mappings, settings and orgs of a folder.

    Its files are read when they are first needed, and once: make another `Project` to read them again.
    It can be used by several threads, but only one run at a time delivers.

    Every method takes the name of an `org` of sfmap.yaml, since an org can have settings for mappings of its own;
    without it, the project's default is used, or the local org.
    """

    def __init__(self, folder: FileName | None = None, *, mappings: FileName | None = None) -> None:
        """A folder with `sfmap.yaml`, or the shipped mappings if it has none.

        Without a folder, it is the one that the commands use: the nearest with `sfmap.yaml`, from the current one
        upwards, or else the current one. `mappings` is a folder of mappings to use instead of the project's.

        Raises `CannotRead` if there is no such folder.
        """
        self.folder = project_folder() if folder is None else Path(folder)
        self._mappings = None if mappings is None else Path(mappings)
        self._mappers: dict[str | None, Mapper] = {}
        if not self.folder.is_dir():
            is_file = self.folder.exists()
            why = "is a file; give the folder that it is in" if is_file else "does not exist"
            raise CannotRead(f"the project folder {self.folder} {why}")

    def __repr__(self) -> str:
        return f"Project({str(self.folder)!r})"

    def render(self, event: GivenEvent, *, org: str | None = None) -> list[Payload]:
        """What would be sent for an event: a dict for each record, or one that says why there is none.

        They have the keys of the lines that `sfmap render` prints.

        Raises `Mistakes` if a mapping or sfmap.yaml has errors, `CannotRead` or `NoSuchOrg`.
        """
        from sfmap.engine.api.payloads import Payload
        from sfmap.engine.inspect.payload import payload
        from sfmap.engine.mapping.values.record import Rejected
        from sfmap.engine.sources.given_events import read_given

        _, read, problem = read_given(event)
        mapped = [Rejected("", problem)] if read is None else self.mapper(org).map(read)
        return [cast(Payload, payload(one)) for one in mapped]

    def explain(self, event: GivenEvent, *, org: str | None = None) -> Explanation:
        """Where the value of each field came from, and why others have none. Raises as `render` does."""
        from sfmap.engine.api.explained_event import Explanation
        from sfmap.engine.inspect.explanation import Explained, explain
        from sfmap.engine.mapping.values.record import Rejected
        from sfmap.engine.sources.given_events import read_given

        _, read, problem = read_given(event)
        return Explanation([Explained(Rejected("", problem))] if read is None else explain(self.mapper(org), read))

    def check(self, *, org: str | None = None) -> list[Diagnostic]:
        """The errors and warnings of sfmap.yaml and of the mappings as they are now; empty if all is good.

        Fields are checked against the standard objects, or with `org` against the objects of that org.

        Raises `CannotRead`, `NoSuchOrg`, `SecretMissing` or `OrgError`.
        """
        return list(self.checked(org).diagnostics)

    def checked(self, org: str | None = None) -> ProjectCheck:
        """What `check` found, with the mappings as far as they could be compiled."""
        from sfmap.engine.inspect.project_check import check_project

        return check_project(self.folder, self._mappings, org)

    def run(
        self,
        events: FileName | Iterable[FileName] | Iterable[GivenEvent],
        *,
        org: str | None = None,
        records: bool = False,
        restart: bool = False,
        skip_delivered: bool | None = None,
        linger: float | None = None,
        put_back: bool = False,
        input_format: str | None = None,
        since: datetime | None = None,
        changed: bool = False,
        until_end: bool = False,
        **options: Unpack[RunKeywords],
    ) -> RunReport:
        """Delivers events to an org, and returns when each has its outcome, or reports why not.

        `events` is a file, folder, pattern or URL, a list of them, the name of a source of sfmap.yaml, or an
        iterable of events as dicts. The same call continues a run that ended early or was killed, unless `restart`
        is set. Dicts cannot be read twice: then give those after the last event of the report. They are read when
        2,000 can be delivered, or with `linger` by a thread, which lets the first wait for so many seconds.

        With `records`, `events` is a folder that `sfmap backfill` has made, or a file of it; with `put_back`, a
        file that a run with `save_old` has written. `skip_delivered` skips events whose messageId was
        delivered before, by default if they are dicts.
        A topic of Kafka is delivered until `should_stop` says so, or with `until_end` to its present end; outcomes
        are not kept. `input_format`, `since` and `changed` are those options of `sfmap run`.

        What ends a run early is in its report. Raised is what keeps it from starting: `Mistakes`, `CannotRead`,
        `CannotWrite`, `NoSuchOrg`, `SecretMissing`, `ProjectBusy`, `JournalFailed`, `SourceFailed`, `WrongShape`,
        `ExtraMissing`, `LocalOrgFailed`; and what reading `events` or a callback raises.
        """
        from sfmap.engine.api.opening_runs import RunSettings, open_run
        from sfmap.engine.api.runs import run_source

        settings = RunSettings(org=org, **options)
        if not records and (topic := self._topic(events)):
            return self._run_topic(topic, settings, linger=linger or 0.0, until_end=until_end, restart=restart)
        read = SourceOptions(
            format=input_format or "", since=_timestamp(since), takes_changed=changed, say=settings.on_message
        )
        source = self._records(events, org, read) if records else self._source(events, read)
        _check(source, settings.output_files)
        skips = source.may_repeat if skip_delivered is None else skip_delivered
        mapper = _putting_back(events) if put_back else self.mapper(org)
        with open_run("sfmap run", self.file, replace(settings, skip_delivered=skips)) as started:
            return run_source(started, source, mapper, restart=restart, linger=linger)

    def plan(
        self,
        events: FileName | Iterable[FileName] | Iterable[GivenEvent],
        *,
        org: str | None = None,
        restart: bool = False,
        skip_delivered: bool | None = None,
        put_back: bool = False,
        input_format: str | None = None,
        max_calls: int | None = None,
        out_file: str | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        on_message: Callable[[str], object] = _log,
    ) -> PlanSummary:
        """What `run` would do with these events: records are looked up, and nothing is written.

        The keywords are those of `run`; `out_file` gets a JSON line for each record. Raises as `run` does, and
        what would end it early.
        """
        from sfmap.engine.api.plans import PlanSettings, plan_source

        source = self._source(events, SourceOptions(format=input_format or "", say=on_message))
        _check(source, (out_file,))
        settings = PlanSettings(
            org=org,
            restart=restart,
            skip_delivered=source.may_repeat if skip_delivered is None else skip_delivered,
            max_calls=max_calls,
            out_file=out_file,
            should_stop=should_stop,
            on_message=on_message,
        )
        mapper = _putting_back(events) if put_back else self.mapper(org)
        return plan_source(self.file, source, mapper, settings)

    def retry(
        self, *, org: str | None = None, reason: str = "", number: int = 0, **options: Unpack[RunKeywords]
    ) -> RunReport:
        """Delivers dead letters again: all, those whose reason contains a text, or the one with a number.

        Those that are delivered are removed. Raises as `run` does.
        """
        from sfmap.engine.api.opening_runs import RunSettings, open_run
        from sfmap.engine.api.runs import retry_dead_letters
        from sfmap.engine.files.output import check_outputs

        settings = RunSettings(org=org, **options)
        check_outputs((), (settings.report_file, settings.results_file))
        mapper = self.mapper(org)
        with open_run("sfmap retry", self.file, settings) as started:
            return retry_dead_letters(started, mapper, reason=reason, number=number)

    def dead_letters(self, *, org: str | None = None, reason: str = "") -> DeadLetters:
        """The records that failed for good and were not delivered since: all, or those with a reason."""
        from sfmap.engine.api.dead_letter_lines import DeadLetters

        return DeadLetters(project=self.file, org=org, reason=reason)

    def open_events(self, names: Sequence[str], options: SourceOptions) -> ResumableSource:
        """The events of files, of standard input (`-`), or of a source of sfmap.yaml."""
        standard_input = _standard_input() if STANDARD_INPUT in names else None
        return open_source(self.file, names, replace(options, standard_input=standard_input))

    def _run_topic(
        self, topic: Topic, settings: RunSettings, *, linger: float, until_end: bool, restart: bool
    ) -> RunReport:
        from sfmap.engine.api.opening_runs import open_run
        from sfmap.engine.api.topic_runs import run_topic
        from sfmap.engine.workers.topic_check import check_topic
        from sfmap.engine.workers.topic_worker import WorkerOptions

        if settings.results_file is not None:
            raise SourceFailed(f"{topic.name} is a topic, whose outcomes are not written to a file of results")
        mapper = self.mapper(settings.org)
        check_topic(topic, mapper)
        worker = WorkerOptions(linger=linger, until_end=until_end, restart=restart)
        with open_run("sfmap run", self.file, replace(settings, keep_outcomes=False)) as started:
            return run_topic(started, topic, mapper, worker)

    def _topic(self, events: object) -> Topic | None:
        """The topic that a name stands for; None if it is something else."""
        from sfmap.engine.wiring.topic_opening import open_topic

        names = list(events) if isinstance(events, (list, tuple)) else [events]
        entry = self.file.sources.get(names[0]) if len(names) == 1 and isinstance(names[0], str) else None
        return open_topic(self.file, entry, entry.kafka) if entry and entry.kafka else None

    def _source(self, events: object, options: SourceOptions) -> ResumableSource:
        """What is named, or else the events that are given."""
        given = events if isinstance(events, (list, tuple)) else [events]
        names = [os.fspath(one) for one in given if isinstance(one, (str, os.PathLike))]
        if names and len(names) == len(given):
            return self.open_events(names, options)
        from sfmap.engine.sources.given_events import GivenEvents

        return GivenEvents(events=cast(Iterable[object], events))

    def _records(self, folder: object, org: str | None, options: SourceOptions) -> ResumableSource:
        """The records that a back-fill has made."""
        from sfmap.engine.wiring.records_opening import open_records

        return open_records(self.file, os.fspath(cast(FileName, folder)), self.mapper(org), org, options)

    @cached_property
    def file(self) -> ProjectFile:
        """What sfmap.yaml says. Raises `Mistakes` or `CannotRead`."""
        return load_project(self.folder)

    def chosen_mappings(self, org: str | None = None) -> ChosenMappings:
        """The mapping files to use. Raises `Mistakes`, `CannotRead` or `NoSuchOrg`."""
        return chosen_mappings(self.file, self._mappings, org)

    def mapper(self, org: str | None = None) -> Mapper:
        """The compiled mappings. Raises `Mistakes`, `CannotRead` or `NoSuchOrg`."""
        if org not in self._mappers:
            self._mappers[org] = Mapper(compile_mappings(self.chosen_mappings(org)))
        return self._mappers[org]


def _check(source: ResumableSource, outputs: Iterable[str | None]) -> None:
    """Raises `CannotWrite`, `WrongShape` or `SourceFailed`."""
    from sfmap.engine.files.output import check_outputs

    check_outputs((file.name for file in source.files), outputs)
    source.check()


def _putting_back(events: object) -> Mapper:
    """The mappings that put the old values of a file back. Raises `NoOldValues`."""
    from sfmap.engine.planning.old_values import mappings_to_put_back

    (name,) = events if isinstance(events, (list, tuple)) else (events,)
    sources = mappings_to_put_back(os.fspath(cast(FileName, name)))
    return Mapper(compile_mappings(ChosenMappings(sources=sources)))


def _timestamp(moment: datetime | None) -> float | None:
    """Seconds since 1970 of a time, which is in UTC if it does not say otherwise."""
    return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _standard_input() -> BinaryIO | None:
    """Standard input as a separate file: Python closes `sys.stdin` on exit while a thread may still read it."""
    return None if sys.stdin is None else open(sys.stdin.fileno(), "rb", closefd=False)
