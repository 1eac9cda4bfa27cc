"""A certificate for the local org, and the authority that signs it: kept beside the records.

The key of the authority is not kept: nobody can sign another certificate with it. So a certificate for other
names, and one that has nearly expired, is made again with another authority, which clients must then trust.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sfmap.engine.files.private_files import private_folder, private_opener
from sfmap.engine.http.address import CannotServe
from sfmap.engine.http.tls_files import TlsFiles

_ENDING = ".tls"
"""The folder is named after the database, as nobody names a folder of their own files."""
_AUTHORITY = "Authority of sfmap's local org"
_NAMES = ("localhost", "127.0.0.1", "::1")
_DAYS = 820
"""Apple's systems refuse certificates of servers that are valid for more than 825 days."""
_LEFT = timedelta(days=30)
"""A certificate that is valid for less is made again."""


def own_certificate(database: Path, host: str) -> TlsFiles:
    """The certificate for an org that listens on `host`, made if there is none. Raises `CannotServe`."""
    folder = database.with_name(f"{database.name}{_ENDING}")
    files = TlsFiles(
        certificate=folder / "server.pem", key=folder / "server-key.pem", authority=folder / "authority.pem"
    )
    names = _names(host)
    try:
        if not _is_usable(files, names):
            _check_own(files)
            files = replace(files, is_renewed=files.certificate.exists())
            private_folder(folder)
            _make(files, names)
    except OSError as error:
        raise CannotServe(f"cannot keep a certificate in {folder}: {error.strerror}") from None
    return files


def _check_own(files: TlsFiles) -> None:
    """Raises `CannotServe` if the files to be replaced are not sfmap's."""
    for file in (files.certificate, files.key):
        content = file.read_bytes() if file.exists() else b""
        if not content or (files.authority and files.authority.exists() and _is_own(files.authority)):
            continue
        raise CannotServe(f"{file} was not made by sfmap. Move it, or name it with --tls-cert and --tls-key.")


def _is_own(authority: Path) -> bool:
    """Whether this is an authority that sfmap has made, or a damaged file, which nobody needs."""
    try:
        return x509.load_pem_x509_certificate(authority.read_bytes()).subject == _name(_AUTHORITY)
    except ValueError:
        return True


def _names(host: str) -> list[str]:
    """The names in the certificate: loopback's, the given one, and this machine's if it listens everywhere."""
    machine = [socket.gethostname()] if host in ("0.0.0.0", "::") else []  # noqa: S104 - a comparison
    return list(dict.fromkeys([*_NAMES, host, *machine]))


def _is_usable(files: TlsFiles, names: Sequence[str]) -> bool:
    """Whether there is a certificate for these names, valid for some time, with its key and authority."""
    assert files.authority
    if not all(file.exists() for file in (files.authority, files.key, files.certificate)):
        return False
    try:
        known = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        known.verify_directly_issued_by(x509.load_pem_x509_certificate(files.authority.read_bytes()))
        held = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = load_pem_private_key(files.key.read_bytes(), None)
    except (ValueError, InvalidSignature, x509.ExtensionNotFound):
        return False
    if key.public_key() != known.public_key() or known.not_valid_after_utc - datetime.now(UTC) < _LEFT:
        return False
    return set(_alternatives(names)) <= set(held)


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    return [_alternative(name) for name in names]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        pass
    if "*" in name:
        raise CannotServe(f"{name} cannot stand in a certificate: it is not the name of a host.")
    try:
        return x509.DNSName(name)
    except ValueError:
        raise CannotServe(
            f"{name} cannot stand in a certificate: a host name has only ASCII characters."
        ) from None


def _make(files: TlsFiles, names: Sequence[str]) -> None:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name, name = _name(_AUTHORITY), _name("sfmap's local org")
    authority = (
        _certificate(authority_name, authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _certificate(name, authority_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    assert files.authority
    _write(files.authority, authority.public_bytes(Encoding.PEM))
    _write(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    # Last: the others are there whenever it is.
    _write(files.certificate, server.public_bytes(Encoding.PEM))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes) -> None:
    """Replaces the file as a whole: another org that starts never reads half of it."""
    written = path.with_name(f"{path.name}.{os.getpid()}")
    with open(written, "wb", opener=private_opener) as file:
        file.write(content)
    written.replace(path)
