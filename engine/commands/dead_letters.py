"""`sfmap dead-letters`: lists the records that failed."""

import sys

import click

from sfmap.engine.commands.arguments import org_option
from sfmap.engine.commands.terminal import explained, say, say_message
from sfmap.engine.journal.dead_letter_events import letter_event, letter_json, letter_line
from sfmap.engine.journal.dead_letter_store import dead_letters as stored_dead_letters
from sfmap.engine.journal.dead_letter_store import discard_dead_letters
from sfmap.engine.messages.hints import command_line
from sfmap.engine.project.project_file import load_project, project_folder
from sfmap.engine.wiring.org_opening import known_key
from sfmap.engine.wiring.state_opening import open_journal


@click.command(name="dead-letters")
@org_option
@click.option("--reason", default="", metavar="TEXT", help="Only those whose reason contains this text.")
@click.option("--json", "as_data", is_flag=True, help="Print each as a JSON line with its event.")
@click.option("--export", "as_events", is_flag=True, help="Print only the events as received, one per line.")
@click.option("--discard", is_flag=True, help="Print and delete them: they are never delivered.")
def dead_letters(org_name: str | None, reason: str, as_data: bool, as_events: bool, discard: bool) -> None:
    """List the records that failed: number, position and reason. sfmap retry delivers them again."""
    write = letter_event if as_events else letter_json if as_data else letter_line
    listed = []
    with explained():
        project = load_project(project_folder())
        with open_journal(project) as journal:
            entry = project.org(org_name)
            key = known_key(project, entry, journal)
            if key is None:
                known_by = command_line("limits", *project.org_option(entry.name))
                say_message(
                    f"sfmap has not signed in to the org {entry.name} with these settings yet, so no dead"
                    f" letters are known. To sign in, run: {known_by}"
                )
                return
            for letter in stored_dead_letters(journal, key, reason):
                sys.stdout.buffer.write(write(letter))
                listed.append(letter.id)
            sys.stdout.flush()  # delete nothing that could not be written
            if discard:
                discard_dead_letters(journal, listed)
    if not listed:
        say("There is no such dead letter." if reason else "There are no dead letters.")
    elif discard:
        say(f"Dead letters deleted: {len(listed):,}.")
