"""The login URL of an org: which addresses credentials may be sent to."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


def split(url: str) -> SplitResult:
    """The parts of the URL; all empty if it is not a URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def is_loopback(url: str) -> bool:
    host = split(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_safe(url: str) -> bool:
    """Whether credentials may be sent to this address: it is encrypted or on this machine."""
    parts = split(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))


def login_url_mistake(url: str) -> tuple[str, str] | None:
    """What is wrong with the login URL, and what to write instead; None if it is right."""
    parts = split(url)
    if "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment or not parts.hostname:
        return (
            "is not just a scheme and a host",
            "Write it like https://login.salesforce.com or https://acme.my.salesforce.com.",
        )
    if not is_safe(url):
        return (
            "is not encrypted, so the password would travel in the clear",
            "Use https://; http:// is only for an org on this machine (localhost, 127.0.0.1).",
        )
    return None
