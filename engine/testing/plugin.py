"""The pytest plugin: every sample event of a project is a test that compares its payload with a snapshot.

pytest loads it in every environment that has sfmap, so nothing is imported before there is a sample to test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.messages.hints import command_line

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from sfmap.engine.testing.cases import Case

ACCEPT = f"To accept: {command_line('test', '--update')}"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "EventFile | None":
    """pytest's hook: files of sample events are collected."""
    if file_path.suffix not in (".json", ".ndjson"):
        return None
    from sfmap.engine.testing.cases import project_of

    if project_of(file_path) is None:
        return None
    return EventFile.from_parent(parent, path=file_path)


class EventFile(pytest.File):
    """A file of sample events."""

    def collect(self) -> Iterator["EventCase"]:
        from sfmap.engine.testing.cases import cases, project_mapper, project_of

        folder = project_of(self.path)
        assert folder
        try:
            project_mapper(folder)
            found = list(cases(self.path))
        except SfmapError as error:
            # syrupy would treat the snapshots of unreadable files as unused, and delete them on update.
            self.config.option.no_cleanup = True
            raise self.CollectError(str(error)) from None
        for case in found:
            yield EventCase.for_case(self, case, folder)


class Differs(SfmapError):
    """The payload differs from the snapshot; the message says where."""

    exit_code = ExitCode.EVENTS_FAILED


class EventCase(pytest.Function):
    """One sample event."""

    @classmethod
    def for_case(cls, parent: EventFile, case: "Case", folder: Path) -> "EventCase":
        def check(snapshot: "SnapshotAssertion") -> None:
            compare(case, folder, snapshot)

        return cls.from_parent(parent, name=case.name, callobj=check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> object:  # type: ignore[override]
        """The fields that differ, and no traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, Differs) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


def compare(case: "Case", folder: Path, snapshot: "SnapshotAssertion") -> None:
    """Compares the rendering with its snapshot file. Raises `Differs`."""
    from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

    from sfmap.engine.inspect.payload_diff import differences
    from sfmap.engine.testing.cases import as_snapshot, from_snapshot, project_mapper, rendered

    class PayloadFile(SingleFileSnapshotExtension):
        _write_mode = WriteMode.TEXT
        file_extension = "yaml"

    rendering = rendered(project_mapper(folder), case.event)
    assertion = snapshot.use_extension(PayloadFile)
    if as_snapshot(rendering) == assertion:
        return
    stored = Path(assertion.extension.get_location(test_location=assertion.test_location, index=0))
    if not stored.is_file():
        raise Differs(f"{case.name} has no snapshot yet.\n{ACCEPT}")
    before = from_snapshot(stored.read_text("utf-8"))
    changes = "\n".join(f"  {difference}" for difference in differences(before, rendering))
    raise Differs(f"{changes or '  only the format of the file differs'}\n{ACCEPT}")
