"""`sfmap suggest`: drafts mappings from events and the fields of an org."""

import sys
from pathlib import Path

import click

from sfmap.engine.api.project import Project
from sfmap.engine.commands.arguments import event_names, events_argument, input_format_option, org_option
from sfmap.engine.commands.readable_events import ReadableEvents
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.files.output import CannotWrite
from sfmap.engine.inspect.describe_cache import describe
from sfmap.engine.inspect.project_schema import objects_of_mappings
from sfmap.engine.inspect.traits.trait_inventory import EventsSeen, inventory_of
from sfmap.engine.messages.counts import counted
from sfmap.engine.suggest.draft_yaml import draft_text
from sfmap.engine.suggest.drafting import Draft, best_drafts
from sfmap.engine.wiring.source_opening import SourceOptions
from sfmap.engine.yaml_files.diagnostics import listed


@click.command()
@events_argument
@input_format_option
@org_option
@click.option("--object", "objects", metavar="NAME", multiple=True, help="Draft for this object of the org.")
@click.option("--event", "wanted", metavar="TYPE[:NAME]", help="Draft for events of this type, and this name.")
@click.option(
    "--write",
    "target",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each draft to a file in this folder that is not there yet.",
)
def suggest(
    events: tuple[str, ...],
    input_format: str | None,
    org_name: str | None,
    objects: tuple[str, ...],
    wanted: str | None,
    target: Path | None,
) -> None:
    """Draft mappings from EVENTS and the fields that an org describes.

    Names and labels that are alike, and types that fit, decide which trait fills which field; each line says how
    sure that is. Objects are those of the project's and the shipped mappings, unless --object names others.
    """
    with explained():
        project = Project()
        source = project.open_events(event_names(events), SourceOptions(format=input_format or "", say=say))
        source.check()
        readable = ReadableEvents(source)
        kinds = [kind for kind in inventory_of(readable).kinds() if _is_wanted(kind, wanted)]
        names = objects or sorted({name for _, name in objects_of_mappings(project.file)})
        described = describe(project.file, project.file.org(org_name), list(names)).objects
        drafts = best_drafts(kinds, described)
        if not drafts:
            raise _nothing_fits(list(described), kinds)
        if target:
            _write(drafts, target)
        else:
            click.echo("\n".join(map(draft_text, drafts)), nl=False)
    for one in drafts:
        say(
            f"{_title(one.kind)} → {one.described.name}: {counted(len(one.proposed), 'field')},"
            f" {counted(len(one.unused), 'trait')} left."
        )
    sys.exit(ExitCode.EVENTS_FAILED if readable.unread else ExitCode.DONE)


class NothingFits(SfmapError):
    """No draft can be made of the events for these objects."""


def _nothing_fits(names: list[str], kinds: list[EventsSeen]) -> NothingFits:
    events = listed(dict.fromkeys(kind.type for kind in kinds), "and") if kinds else "no"
    objects = listed(names, "and") if names else "none of these objects"
    return NothingFits(f"no trait of {events} events fills a field that records of {objects} are found by.")


def _is_wanted(kind: EventsSeen, wanted: str | None) -> bool:
    if wanted is None:
        return True
    type_, _, name = wanted.partition(":")
    return kind.type == type_ and (not name or kind.name == name)


def _title(kind: EventsSeen) -> str:
    return f"{kind.type} {kind.name}" if kind.name else kind.type


def _write(drafts: list[Draft], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in drafts:
            stem = f"{one.described.name}-{_title(one.kind)}".lower().replace("__c", "").replace(" ", "-")
            path = folder / f"{''.join(letter for letter in stem if letter.isalnum() or letter in '-_')}.yaml"
            with path.open("x", encoding="utf-8") as file:
                file.write(draft_text(one))
            say(f"Wrote {path}.")
    except OSError as error:
        raise CannotWrite(f"cannot write {error.filename or folder}: {error.strerror}") from None
