"""The certificate and the private key of a server."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.http.address import CannotServe

_MAKE = "sfmap can make one: start with --tls."


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    certificate: Path
    """PEM, with the certificates between it and the authority after it."""
    key: Path
    """PEM, not encrypted."""
    authority: Path | None = None
    """The certificate of the authority, where sfmap has made it."""
    is_renewed: bool = False
    """Whether it has just been made in place of an earlier one, which clients may trust."""


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """The TLS context of a server. Raises `CannotServe`."""
    certificate = _text(files.certificate, "certificate")
    if b"-----BEGIN CERTIFICATE-----" not in certificate:
        raise CannotServe(f"{files.certificate} has no certificate in PEM format.", _MAKE)
    _check_key(files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.certificate, files.key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CannotServe(
                f"The private key in {files.key} does not belong to the certificate in {files.certificate}.",
                "If that file has several certificates, the server's must be the first.",
            ) from None
        raise CannotServe(f"{files.certificate} has no certificate that can be read.", _MAKE) from None
    return context


def host_names(files: TlsFiles) -> list[str]:
    """The names of hosts that the certificate is for, without wildcards.

    Call it with files that `server_context` has accepted.
    """
    # Most commands and servers have no certificate, and cryptography takes long to import.
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name for name in held.get_values_for_type(x509.DNSName) if "*" not in name]


def _check_key(path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(_text(path, "private key"), None)
    except TypeError:
        decrypt = f"openssl pkey -in {path} -out key.pem"
        raise CannotServe(f"The private key in {path} is encrypted.", f"Decrypt it: {decrypt}") from None
    except ValueError:
        raise CannotServe(f"{path} has no private key in PEM format.", _MAKE) from None


def _text(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotServe(f"cannot read the {what} {path}: {error.strerror}") from None
