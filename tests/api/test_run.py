"""A run delivers to the local org, reports, and is continued by the same call."""

import contextlib
import io
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

import sfmap

from ..folder import Event, Folder, identify


@pytest.fixture
def project(folder: Folder) -> sfmap.Project:
    (folder.path / "sfmap.yaml").write_text("{}")
    return sfmap.Project(folder.path)


def many(count: int, start: int = 0) -> list[Event]:
    return [identify(f"{number:05}@b.co", name=f"Ann {number}") for number in range(start, start + count)]


def test_a_file_is_delivered_and_reported(project: sfmap.Project, folder: Folder) -> None:
    file = folder.path / folder.write("e.ndjson", [*many(3), "{", {"type": "page"}])
    report = project.run(file)
    assert report.finished
    assert (report.events, report.created, report.updated, report.skipped, report.failed) == (5, 3, 0, 1, 1)
    assert [one["outcome"] for one in report.outcomes] == ["created", "created", "created", "failed", "skipped"]
    assert list(report.failures.values()) == [1]
    assert report.as_dict()["events"] == 5
    assert "created            3" in str(report)
    assert report.raise_for_error() is report
    again = project.run(file)
    assert (again.created, again.updated) == (0, 3)


def test_several_files_are_one_source(project: sfmap.Project, folder: Folder) -> None:
    files: list[str | Path] = [
        folder.path / folder.write("a.ndjson", many(2)),
        str(folder.path / folder.write("b.ndjson", many(2, 2))),
    ]
    report = project.run(files)
    assert [(Path(one["file"]).name, one["line"]) for one in report.outcomes] == [
        ("a.ndjson", 1), ("a.ndjson", 2), ("b.ndjson", 1), ("b.ndjson", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("linger", [None, 0.1])
def test_events_of_a_generator_are_delivered(project: sfmap.Project, folder: Folder, linger: float | None) -> None:
    report = project.run((event for event in many(2_100)), linger=linger)
    assert (report.events, report.created, report.undelivered, report.is_resumable) == (2_100, 2_100, 0, False)
    assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(2_100, 2_100)]


def test_a_generator_is_read_by_the_calling_thread(project: sfmap.Project) -> None:
    def events() -> Iterator[Event]:
        assert threading.current_thread() is threading.main_thread()
        yield from many(1)

    assert project.run(events()).created == 1


def test_no_events_are_a_run_without_outcomes(project: sfmap.Project) -> None:
    report = project.run([])
    assert (report.finished, report.events, list(report.outcomes)) == (True, 0, [])


def test_dicts_delivered_before_are_skipped_unless_they_are_wanted(project: sfmap.Project) -> None:
    events = many(2)
    counts = [project.run(events), project.run(events), project.run(events, skip_delivered=False)]
    assert [(one.created, one.updated, one.skipped) for one in counts] == [(2, 0, 0), (0, 0, 2), (0, 2, 0)]


def test_what_is_no_event_fails_alone(project: sfmap.Project) -> None:
    events: list[object] = [*many(1), 5, None, {"type": "identify", "traits": object()}]
    report = project.run(events)  # type: ignore[arg-type]
    assert [(one["outcome"], one["reason"]) for one in report.outcomes][1:3] == [
        ("failed", "int instead of an event (a dict)"),
        ("failed", "NoneType instead of an event (a dict)"),
    ]
    assert report.finished
    assert [one["text"] for one in report.dead_letters if one["event"] < 4] == ["5", "null"]


def test_what_a_generator_raises_is_raised(project: sfmap.Project, folder: Folder) -> None:
    def events() -> Iterator[Event]:
        yield from many(2_000)
        raise LookupError("the table is gone")

    with pytest.raises(LookupError, match="the table is gone"):
        project.run(events())
    assert folder.rows("SELECT count(*) FROM Lead") == [(2_000,)]


def test_a_run_that_is_asked_to_stop_is_continued(project: sfmap.Project, folder: Folder) -> None:
    """By calls: of records that wait for a bulk job, the next run tells."""
    file = folder.path / folder.write("e.ndjson", many(7_000))
    told: list[sfmap.Progress] = []
    report = project.run(file, bulk="never", on_progress=told.append, should_stop=lambda: len(told) >= 2)
    assert isinstance(report.error, sfmap.StopRequested)
    assert (report.finished, report.is_resumable) == (False, True)
    done = report.events
    assert 2_000 <= done < 7_000
    assert "ended early" in repr(report)
    with pytest.raises(sfmap.StopRequested):
        report.raise_for_error()
    report = project.run(file, bulk="never")
    assert (report.finished, report.events, report.created) == (True, 7_000, 7_000)
    assert [one["event"] for one in report.outcomes] == list(range(done + 1, 7_001))
    assert folder.rows("SELECT count(*) FROM Lead") == [(7_000,)]


def test_a_results_file_has_the_outcomes_of_all_runs(project: sfmap.Project, folder: Folder) -> None:
    file, results = folder.path / folder.write("e.ndjson", many(2_100)), folder.path / "results"
    told: list[sfmap.Progress] = []
    project.run(file, results_file=str(results), on_progress=told.append, should_stop=lambda: len(told) >= 2)
    report = project.run(file, results_file=str(results), report_file=str(folder.path / "report.json"))
    assert [one["event"] for one in report.outcomes] == list(range(1, 2_101))
    assert list(report.outcomes) == folder.lines("results")
    assert folder.report() == orjson.loads(orjson.dumps(report.as_dict()))


def test_progress_is_what_is_in_the_journal(project: sfmap.Project, folder: Folder) -> None:
    file = folder.path / folder.write("e.ndjson", [*many(2_100), "{"])
    told: list[sfmap.Progress] = []
    project.run(file, on_progress=told.append)
    assert [(one.events, one.failed, one.position.number) for one in told] == [
        (0, 0, 0), (2_000, 0, 2_000), (2_101, 1, 2_101),
    ]  # fmt: skip
    assert (told[0].files, told[0].share, told[-1].share) == (1, 0, 1)


def test_a_callback_that_raises_ends_the_run(project: sfmap.Project, folder: Folder) -> None:
    def refuse(progress: sfmap.Progress) -> None:
        if progress.events:
            raise LookupError

    file = folder.path / folder.write("e.ndjson", many(2_100))
    with pytest.raises(LookupError):
        project.run(file, on_progress=refuse)
    assert project.run(file).created == 2_100


def test_a_run_whose_report_could_not_be_told_tells_it_again(project: sfmap.Project, folder: Folder) -> None:
    def fail(report: sfmap.RunReport) -> None:
        raise LookupError

    file = folder.path / folder.write("e.ndjson", many(3))
    with pytest.raises(LookupError):
        project.run(file, on_report=fail)
    told: list[sfmap.RunReport] = []
    project.run(file, on_report=told.append)
    assert [(one.events, one.created) for one in told] == [(3, 3)]


def test_failed_records_are_dead_letters_and_can_be_delivered_again(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("mappings: mappings\n")
    (folder.path / "mappings").mkdir()
    mapping = folder.path / "mappings" / "m.yaml"
    mapping.write_text("sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields: {Email: traits.email}\n")
    project = sfmap.Project(folder.path)
    assert list(project.dead_letters()) == []
    assert project.run(many(2)).failed == 2
    letters = list(project.dead_letters())
    assert [(one["event"], one["object"], one["attempts"]) for one in letters] == [(1, "Lead", 1), (2, "Lead", 1)]
    assert letters[0]["raw"]["type"] == "identify"
    mapping.write_text(f"{mapping.read_text()[:-2]}, LastName: traits.name, Company: {{value: Acme}}}}\n")
    assert list(project.dead_letters(reason="no such reason")) == []
    fixed = sfmap.Project(folder.path)
    assert fixed.retry(number=letters[1]["id"]).created == 1
    report = fixed.retry()
    assert (report.created, [one["event"] for one in report.outcomes]) == (1, [letters[0]["id"]])
    assert list(report.dead_letters) == []


def test_an_org_that_cannot_be_reached_is_in_the_report(folder: Folder) -> None:
    entry = "{login_url: http://localhost:9, username: u, password: '${P}', security_token: '${P}', patience: 0}"
    (folder.path / "sfmap.yaml").write_text(f"orgs: {{down: {entry}}}\n")
    (folder.path / "secrets.env").write_text("P=x\n")
    (folder.path / "secrets.env").chmod(0o600)
    file = folder.path / folder.write("e.ndjson", many(1))
    report = sfmap.Project(folder.path).run(file, org="down")
    assert isinstance(report.error, sfmap.OrgError)
    assert (report.events, report.is_resumable) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "failure"),
    [
        ({"org": "sandbx"}, sfmap.NoSuchOrg),
        ({"results_file": "missing/results"}, sfmap.CannotWrite),
        ({"results_file": "x", "report_file": "x"}, sfmap.CannotWrite),
    ],
)
def test_what_keeps_a_run_from_starting_is_raised(
    project: sfmap.Project, folder: Folder, arguments: dict[str, str], failure: type[Exception]
) -> None:
    with contextlib.chdir(folder.path), pytest.raises(failure):
        project.run(many(1), **arguments)  # type: ignore[arg-type]


def test_results_never_overwrite_the_events(project: sfmap.Project, folder: Folder) -> None:
    file = folder.path / folder.write("e.ndjson", many(1))
    with pytest.raises(sfmap.CannotWrite, match="named twice"):
        project.run(file, results_file=str(file))
    assert len(folder.lines("e.ndjson")) == 1


def test_a_missing_file_is_raised(project: sfmap.Project, folder: Folder) -> None:
    with pytest.raises(sfmap.SfmapError, match=r"missing\.ndjson"):
        project.run(folder.path / "missing.ndjson")


def test_one_run_at_a_time_delivers(project: sfmap.Project) -> None:
    def events() -> Iterator[Event]:
        with pytest.raises(sfmap.ProjectBusy):
            project.run(many(1))
        yield from many(1)

    assert project.run(events()).created == 1


def test_a_run_works_in_a_thread_and_leaves_the_process_alone(
    project: sfmap.Project, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    reports: list[sfmap.RunReport] = []
    thread = threading.Thread(target=lambda: reports.append(project.run(many(2))))
    thread.start()
    thread.join()
    assert reports[0].created == 2
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert capfd.readouterr() == ("", "")


def test_messages_are_logged_unless_they_are_taken(
    project: sfmap.Project, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "sfmap"):
        project.run(many(1))
    assert "Delivering to the local org" in caplog.text
    caplog.clear()
    said: list[str] = []
    project.run(many(1), on_message=said.append)
    assert said[0].startswith("Delivering to the local org")
    assert caplog.text == ""


def test_outcomes_are_deleted_with_their_report(project: sfmap.Project) -> None:
    report = project.run(many(1))
    file = Path(report.outcomes.file)
    assert file.stat().st_mode & 0o077 == 0
    del report
    assert not file.exists()


def test_outcomes_that_were_not_kept_are_not_taken_for_none(project: sfmap.Project) -> None:
    report = project.run(many(1), keep_outcomes=False)
    with pytest.raises(sfmap.CannotRead, match="keep_outcomes"):
        list(report.outcomes)


def test_a_notebook_without_a_file_as_standard_input_can_run(
    project: sfmap.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert project.run(many(1)).created == 1


def test_a_killed_run_is_continued(project: sfmap.Project, folder: Folder) -> None:
    folder.write("e.ndjson", many(2_100))
    code = """if True:
        import os, sfmap
        def kill(progress):
            if progress.events: os.kill(os.getpid(), 9)
        sfmap.Project().run("e.ndjson", on_progress=kill)
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=folder.path, check=False)
    assert done.returncode == -signal.SIGKILL
    with contextlib.chdir(folder.path):
        report = project.run("e.ndjson")
    assert (report.events, report.created) == (2_100, 2_100)
    assert folder.rows("SELECT count(*) FROM Lead") == [(2_100,)]
