"""Whom do the stations trust to be the ship's broker? A certificate authority of the ship's own, and one certificate.

ECDSA on P-256, which every browser and every Mosquitto takes. A certificate begins at a fixed day before this software
existed, so that a station whose clock is a little behind takes it, and a ship whose clock is not set can make one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

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

from daemon.computer.clock import EARLIEST_PLAUSIBLE_UTC
from daemon.setup import files
from daemon.setup.files import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from daemon.model import Ship
    from daemon.setup.places import Places

AUTHORITY_DAYS = 20 * 365
SERVER_DAYS = 10 * 365
"""One that ends at sea darkens every screen, so it outlasts the computer. Apple's devices take 825 days at most."""
RENEW_BEFORE = timedelta(days=90)
HOME = ("localhost", "127.0.0.1", "::1")
"""What every certificate is good for."""
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Certified:
    """The broker's certificate, as far as it may be shown.

    Attributes:
        addresses: What stations may call the broker, in the order of the certificate.
        authority_fingerprint: SHA-256 of the authority's certificate, as browsers show it.
    """

    addresses: tuple[str, ...]
    ends_utc: datetime
    authority_fingerprint: str

    @property
    def is_for_others(self) -> bool:
        """Whether a station on another computer can reach the broker."""
        return bool(set(self.addresses) - set(HOME))


def checked_address(given: str) -> str:
    """Return an address as a certificate has it.

    Raises:
        ValueError: It is neither an IP address nor a host's name.
    """
    try:
        return str(ip_address(given))
    except ValueError:
        if _NAME.fullmatch(given.lower()) and not given.replace(".", "").isdigit():
            return given.lower()
        raise ValueError(f"{given!r} is neither an IP address nor a host's name") from None


def make(
    places: Places, *, ship: Ship, addresses: Iterable[str], now_utc: datetime, days: int
) -> tuple[Certified, list[Path]]:
    """Return the broker's certificate and the paths of what was made.

    The authority is made once. The server's certificate is made anew where it lacks an address that is asked for, or
    ends soon; its key stays. One that ends soon and is good today stays too, where the authority's key is away.

    Raises:
        SetupError: What is there does not belong together, or a certificate is needed and the authority's key is away.
    """
    folder = places.made_for_broker
    ca_key, ca_file = places.authority / "ca.key", folder / "ca.crt"
    server_key, server_file = folder / "server.key", folder / "server.crt"
    made: list[Path] = []
    now_utc = max(now_utc, EARLIEST_PLAUSIBLE_UTC)
    if not files.exists(ca_file):
        made += [] if files.exists(ca_key) else [_new_key(ca_key)]
        signer = _load_key(ca_key)
        files.write_new(ca_file, _pem(_authority(signer, ship, now_utc)), mode=files.READABLE)
        made.append(ca_file)
    authority = _load(ca_file)
    if not files.exists(server_key):
        made.append(_new_key(server_key))
    key = _load_key(server_key)
    held = _load(server_file) if files.exists(server_file) else None
    wanted = _wanted(held, addresses)
    if held is None or not (
        _still_good(held, wanted, now_utc + RENEW_BEFORE)
        # Only the authority renews it, and until its key is put back what is good today does for everything else.
        or (_still_good(held, wanted, now_utc) and not files.exists(ca_key))
    ):
        signer = _signer(ca_key, authority)
        ends_utc = now_utc + timedelta(days=days)
        cert = _server(
            signer, key, authority=authority, ship=ship, addresses=wanted, ends_utc=ends_utc
        )
        files.replace(server_file, _pem(cert), mode=files.READABLE)
        made.append(server_file)
        held = cert
    _must_belong(held, key, authority, server_file)
    return _shown(held, authority), made


def found(places: Places) -> Certified | None:
    """Return the broker's certificate without making anything; None where there is none.

    Raises:
        SetupError: It cannot be read.
    """
    server_file, ca_file = (places.made_for_broker / name for name in ("server.crt", "ca.crt"))
    if not (files.exists(server_file) and files.exists(ca_file)):
        return None
    return _shown(_load(server_file), _load(ca_file))


def _wanted(held: x509.Certificate | None, addresses: Iterable[str]) -> tuple[str, ...]:
    had = HOME if held is None else _addresses(held)
    return tuple(dict.fromkeys([*had, *addresses]))


def _still_good(cert: x509.Certificate, wanted: tuple[str, ...], until_utc: datetime) -> bool:
    return _addresses(cert) == wanted and until_utc < cert.not_valid_after_utc


def _addresses(cert: x509.Certificate) -> tuple[str, ...]:
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(name.value) for name in names)


def _authority(key: ec.EllipticCurvePrivateKey, ship: Ship, now_utc: datetime) -> x509.Certificate:
    name = _named(f"{ship.name} ispsd authority", ship)
    ends_utc = now_utc + timedelta(days=AUTHORITY_DAYS)
    usage = _usage(signs_certificates=True)
    return (
        _begun(name, name, key.public_key(), ends_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    signer: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    *,
    authority: x509.Certificate,
    ship: Ship,
    addresses: tuple[str, ...],
    ends_utc: datetime,
) -> x509.Certificate:
    name = _named(f"{ship.name} ispsd broker", ship)
    ends_utc = min(ends_utc, authority.not_valid_after_utc)
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        _begun(name, authority.subject, key.public_key(), ends_utc)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, addresses)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(server, critical=False)
        .add_extension(signed_by, critical=False)
        .sign(signer, hashes.SHA256())
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends_utc: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(EARLIEST_PLAUSIBLE_UTC)
        .not_valid_after(ends_utc)
    )


def _named(common: str, ship: Ship) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"IMO {ship.imo_number}"),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _new_key(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.write_new(path, pem)
    return path


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(files.read_secret(path), password=None)
    except (ValueError, TypeError) as err:
        raise SetupError(f"{path}: not a private key in PEM form without a password") from err
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SetupError(f"{path}: not a key on P-256")
    return key


def _signer(path: Path, authority: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    if not files.exists(path):
        raise SetupError(
            f"{path}: the authority's key is not here, and the broker needs a new certificate. "
            "Put it back from where you keep it, and run ispsd init again"
        )
    key = _load_key(path)
    if key.public_key() != authority.public_key():
        raise SetupError(f"{path}: is not the key of the authority that the stations know (ca.crt)")
    return key


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(files.read(path))
    except ValueError as err:
        raise SetupError(f"{path}: not a certificate in PEM form") from err


def _must_belong(
    cert: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    path: Path,
) -> None:
    if cert.public_key() != key.public_key():
        raise SetupError(f"{path}: is of another key than server.key beside it")
    try:
        cert.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature) as err:
        raise SetupError(f"{path}: was not signed by the authority in ca.crt") from err


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.PEM)


def _shown(cert: x509.Certificate, authority: x509.Certificate) -> Certified:
    digest = authority.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certified(_addresses(cert), cert.not_valid_after_utc, digest)
