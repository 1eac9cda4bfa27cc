"""What SOAP and REST share of an HTTP request."""

from starlette.requests import Request

LARGEST_REQUEST = 50 * 1024 * 1024
"""In bytes, compressed or not; the API's own limit is 50 MB."""


def base_url(request: Request) -> str:
    """The address by which the client reaches the org."""
    return f"http://{request.headers.get('host', request.url.netloc)}"
