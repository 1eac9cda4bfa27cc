"""`sfmap org`: runs the local org as a server, and copies the objects of another org."""

from contextlib import suppress
from pathlib import Path

import click

from sfmap.engine.api.project import Project
from sfmap.engine.commands.arguments import org_option
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.files.private_files import private_folder
from sfmap.engine.inspect.project_check import mapped_objects
from sfmap.engine.inspect.schema_copy import schema_lines
from sfmap.engine.project.org_entry import LOCAL
from sfmap.engine.project.project_file import load_project, project_folder
from sfmap.engine.wiring.org_opening import open_org


@click.group()
def org() -> None:
    """Run the local org as a server, or copy the objects of another org to it."""


@org.command()
@click.option("--port", default=8700, show_default=True, help="0 for any free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--db", "database", metavar="FILE", type=click.Path(path_type=Path), help="Default: .sfmap/org.db.")
@click.option("--schema", metavar="FILE", type=click.Path(path_type=Path), help="Custom fields and objects.")
@click.option(
    "--features",
    metavar="NAMES",
    default="",
    help="What the org has, with commas: state_country_picklists, multi_currency, person_accounts.",
)
@click.option("--log", metavar="FILE", type=click.Path(path_type=Path), help="A line of JSON for each API call.")
@click.option(
    "--faults", metavar="FILE", type=click.Path(path_type=Path), help="Faults to play, see docs/orgs.md."
)
@click.option(
    "--daily-limit",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="API calls that the org allows in a day.",
)
@click.option(
    "--session-minutes",
    type=click.IntRange(min=0),
    default=120,
    show_default=True,
    help="How long an idle session lives; 0 for none at all.",
)
@click.option("--password-grant", is_flag=True, help="Allow OAuth's password grant, which new orgs do not.")
@click.option("--tls", is_flag=True, help="Serve HTTPS, with a certificate that is made once.")
@click.option(
    "--tls-cert", metavar="FILE", type=click.Path(path_type=Path), help="Serve HTTPS, with this certificate."
)
@click.option("--tls-key", metavar="FILE", type=click.Path(path_type=Path), help="The certificate's private key.")
def start(
    port: int,
    host: str,
    database: Path | None,
    schema: Path | None,
    features: str,
    log: Path | None,
    faults: Path | None,
    daily_limit: int,
    session_minutes: int,
    password_grant: bool,
    tls: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Serve the local org until Ctrl-C: SOAP, REST, OAuth, and a page that shows its records."""
    # Only this command needs the server's libraries.
    from sfmap.engine.http.tls_files import TlsFiles
    from sfmap.engine.local_org.foreground import serve_local_org
    from sfmap.engine.local_org.hosting import LocalOrgOptions, feature_names
    from sfmap.engine.local_org.own_certificate import own_certificate

    if (tls and tls_cert) or bool(tls_cert) != bool(tls_key):
        raise click.UsageError("Give --tls, or both --tls-cert and --tls-key.")
    _warn_of_public(host)
    with explained():
        project = load_project(project_folder())
        if database is None:
            with suppress(OSError):  # the local org reports problems with its folder
                private_folder(project.state)
        database = database or project.database
        own = project.org(LOCAL).texts.get("schema")
        options = LocalOrgOptions(
            database=database,
            schema=schema or (project.folder / own.text if own else None),
            features=feature_names(features),
            host=host,
            port=port,
            daily_limit=daily_limit,
            session_seconds=session_minutes * 60,
            faults=faults,
            log=log,
            password_grant=password_grant,
            tls=TlsFiles(certificate=tls_cert, key=tls_key)
            if tls_cert and tls_key
            else (own_certificate(database, host) if tls else None),
        )
        serve_local_org(options, click.echo)


def _warn_of_public(host: str) -> None:
    from sfmap.engine.http.address import is_loopback

    if not is_loopback(host):
        say(
            "Warning: anyone who reaches this address can read and change the records; the credentials are public."
        )


@org.command()
@click.argument("objects", nargs=-1)
@org_option
def clone(objects: tuple[str, ...], org_name: str | None) -> None:
    """Print an org's OBJECTS as a schema file, which gives the local org the same objects and fields.

    The default is the objects of the active mappings. Save it to a file, and name that under orgs, local, schema.
    """
    with explained():
        project = Project()
        wanted = objects or mapped_objects(project.mapper(org_name).mappings)
        with open_org(project.file, project.file.org(org_name)) as opened:
            there = opened.org.object_names()
            if missing := [name for name in wanted if name not in there]:
                raise click.UsageError(f"The org has no object {missing[0]}.")
            described = list(opened.org.describe(wanted).values())
            currency = opened.org.currency()
    click.echo("\n".join(schema_lines(described, currency, org_name or project.file.default_org)))
