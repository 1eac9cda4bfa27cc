"""`sfmap org start`: runs the local org in the foreground, and prints how to sign in."""

from collections.abc import Callable

from sfmap.engine.http.server import WebServer
from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.hosting import LocalOrgOptions, serve


def serve_local_org(options: LocalOrgOptions, say: Callable[[str], object]) -> None:
    """Prints the address and serves until Ctrl-C. Raises the same as `serve`."""

    def ready(server: WebServer) -> None:
        say(_greeting(server.url, options))

    serve(options, ready)


def _greeting(url: str, options: LocalOrgOptions) -> str:
    return f"""\
The local org is at {url}; its records are in {options.database}. Ctrl-C stops it.

  page            {url}/
  user name       {credentials.USERNAME}
  password        {credentials.PASSWORD}
  security token  {credentials.SECURITY_TOKEN}
  client id       {credentials.CLIENT_ID}
  client secret   {credentials.CLIENT_SECRET}

For sfmap.yaml, with SF_PASSWORD={credentials.PASSWORD} and SF_TOKEN={credentials.SECURITY_TOKEN} in secrets.env:

orgs:
  started:
    login_url: {url}
    username: {credentials.USERNAME}
    password: ${{SF_PASSWORD}}
    security_token: ${{SF_TOKEN}}
"""
