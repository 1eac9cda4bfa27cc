"""One SOAP create of 200 records with 20 fields each, to a server that answers at once with the same bytes."""

import random
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from subprocess import PIPE, Popen
from time import process_time

from sfmap.engine.org.port import RecordWrite
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

_RECORDS, _FIELDS, _ROUNDS = 200, 20, 40
_ENVELOPE = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns="urn:partner.soap.sforce.com"><e:Body>{}</e:Body></e:Envelope>'
)
_LOGIN = _ENVELOPE.format(
    "<loginResponse><result><serverUrl>{}</serverUrl><sessionId>x</sessionId></result></loginResponse>"
)
_RESULT = "<result><id>00Q000000000001EAA</id><success>true</success></result>"
_CREATED = _ENVELOPE.format(f"<createResponse>{_RESULT * _RECORDS}</createResponse>")


class _Canned(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        url = f"http://{self.headers['Host']}/services/Soap/u/64.0"
        answer = (_LOGIN.format(url) if b"login" in body[:2_000] else _CREATED).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
        self.wfile.write(head + answer)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Canned)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)  # noqa: T201
    sys.stdin.read()


def main() -> float:
    """Microseconds of the client's CPU for a record: built, sent, and its result read."""
    records = [RecordWrite(_fields(number)) for number in range(_RECORDS)]
    with Popen([sys.executable, __file__, "serve"], stdin=PIPE, stdout=PIPE, text=True) as server:  # noqa: S603
        assert server.stdin
        assert server.stdout
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        org = SoapOrg(SoapSettings(url, PasswordLogin("user", Secret("x"), Secret("x"))))
        org.create("Lead", records)
        taken = []
        for _ in range(_ROUNDS):
            started = process_time()
            org.create("Lead", records)
            taken.append((process_time() - started) / _RECORDS * 1e6)
        server.stdin.close()
    return median(taken)


def _fields(record: int) -> dict[str, str]:
    """Other values in each record, since a compressed request of equal ones costs less."""
    dice = random.Random(record)  # noqa: S311
    return {f"Field{number}__c": f"value {dice.randrange(10**12):012d} here" for number in range(_FIELDS)}


if __name__ == "__main__":
    serve()
