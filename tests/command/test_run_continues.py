"""`sfmap run`: a run that ended early is continued by the same command."""

from ..folder import Folder, Identify, interrupt, wait_for, wait_until_written
from ..reliability.people import LEAD, PEOPLE, person
from ..scene import Scene


def test_an_interrupted_run_is_continued(folder: Folder, identify: Identify) -> None:
    people = [identify(f"person{number}@example.com") for number in range(10_000)]
    events = folder.write("e.ndjson", people)
    command = ("run", events, "--results", "results.ndjson", "--bulk", "never")
    process = folder.start(*command)
    wait_until_written(folder.path / "results.ndjson")
    interrupt(process)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130, said.decode()
    assert "The same command continues" in said.decode()
    told = len(folder.lines("results.ndjson"))
    created = len(folder.rows("SELECT Id FROM Lead"))
    assert 0 < told <= created < 10_000, "what was written behind an undecided event is told later"

    assert folder.sfmap(*command).returncode == 0
    assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(10_000, 10_000)]
    assert [one["line"] for one in folder.lines("results.ndjson")] == list(range(1, 10_001))


def test_a_second_interruption_waits_for_no_answer(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults({"kind": "slow", "calls": "create", "seconds": 300})
    scene.folder.write("events.ndjson", PEOPLE)
    with scene.start() as process:
        wait_for(process, scene.struck)
        interrupt(process)
        assert process.stderr
        while "Ctrl-C again stops at once" not in process.stderr.readline():
            assert process.poll() is None
        interrupt(process)
        assert process.stderr.read() == "Stopped.\n"
        assert process.wait(60) == 130


def test_a_changed_file_is_delivered_from_its_start(scene: Scene) -> None:
    scene.mapping(LEAD)
    page = {"type": "page"}
    scene.run(page, *PEOPLE, code=3, arguments=("--max-calls", "4"))
    said = scene.run(person("other"), page, *PEOPLE)
    assert "has changed since its last, unfinished run, which delivered 1 event" in said
    assert scene.rows("SELECT count(*) FROM Lead") == [(13,)]


def test_a_continued_run_replaces_an_old_results_file(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(*PEOPLE, code=3, arguments=("--max-calls", "4"))
    other = scene.folder.path / "other"
    other.write_text("an old file\n" * 1_000)
    scene.sfmap("run", "events.ndjson", "--results", "other")
    assert len(scene.folder.lines("other")) == 12


def test_results_of_a_file_are_kept_when_its_rest_cannot_begin(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run({"type": "page"}, *PEOPLE, code=3, arguments=("--max-calls", "4"))
    begun = scene.outcomes()
    assert begun
    scene.faults({"kind": "day_limit"})
    scene.again(code=3)
    assert scene.outcomes() == begun
    scene.faults()
    scene.again()
    assert len(scene.outcomes()) == 13
