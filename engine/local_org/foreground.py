"""`sfmap org start`: runs the local org in the foreground, and prints how to sign in."""

from collections.abc import Callable

from sfmap.engine.http.server import WebServer
from sfmap.engine.http.tls_files import TlsFiles
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
{_trusting(options.tls) if options.tls else ""}
To deliver to it, put this into sfmap.yaml:

orgs:
  started:
    login_url: {url}
    username: {credentials.USERNAME}
    password: ${{SF_PASSWORD}}
    security_token: ${{SF_TOKEN}}

its secrets beside that, and name it:

  printf 'SF_PASSWORD={credentials.PASSWORD}\\nSF_TOKEN={credentials.SECURITY_TOKEN}\\n' >> secrets.env
  chmod 600 secrets.env
  sfmap run events.ndjson --org started
"""


def _trusting(files: TlsFiles) -> str:
    """What makes clients trust the certificate."""
    if files.authority is None:
        return f"\nClients must trust the authority that has signed the certificate in {files.certificate}.\n"
    path = files.authority.resolve()
    renewed = "\nThe certificate and its authority were renewed: clients must trust the new authority.\n"
    return f"""{renewed if files.is_renewed else ""}
The org's certificate is signed by an authority of its own. To trust it, set for sfmap and others in Python:

  export REQUESTS_CA_BUNDLE={path}

for Salesforce's CLI and all on Node.js NODE_EXTRA_CA_CERTS, for Ruby, Perl and PHP
SSL_CERT_FILE, for curl CURL_CA_BUNDLE; for Java:

  keytool -importcert -noprompt -alias sfmap -storepass changeit -keystore trust.jks -file {path}
  java -Djavax.net.ssl.trustStore=trust.jks ...
"""
