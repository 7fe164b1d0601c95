"""Who signs: a studio's own certificate and key, or a chain of this machine, made at first use.

A chain of this machine proves that a film was not changed since it was signed here, and nothing about who did: nobody else trusts
its root. Rules for the certificates: C2PA technical specification 2.1, section 14.5.1. A certificate that signs itself is refused
by readers, so there is a root, and a leaf for the work.
"""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assemble.errors import AssembleError, WriteError

VARIABLE = "STORYBOARD_KEYS"
YEARS = 10
CHAIN, KEY, ROOT = "chain.pem", "key.pem", "root.pem"


@dataclass(frozen=True)
class Signing:
    """What signs: the certificates (PEM, leaf first), the private key (PKCS#8 PEM), the algorithm ("es256", ...)."""

    chain: str
    key: str
    algorithm: str


def folder() -> Path:
    """Where the keys of this machine lie: STORYBOARD_KEYS, else in the platform's folder for a user's data."""
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("storyboard", appauthor=False) / "keys"


def local(place: Path | None = None) -> Signing:
    """The chain of this machine, made at first use."""
    place = place or folder()
    if not (place / KEY).exists():
        make(place)
    return given(place / KEY, place / CHAIN)


def anchors(place: Path | None = None) -> str:
    """The roots that this machine trusts, as PEM: its own, and every other .pem that somebody put beside it as trusted/*.pem."""
    place = place or folder()
    found = [place / ROOT, *sorted((place / "trusted").glob("*.pem"))]
    return "\n".join(path.read_text(encoding="ascii", errors="replace") for path in found if path.is_file())


def make(place: Path) -> None:
    """Make a root, and a leaf that it signs. The root's own key is thrown away: it signs nothing else, ever."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    if (place / KEY).exists():
        raise AssembleError(
            "there are keys already", where=str(place), mend="move them away first; films keep their signatures"
        )
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)

    def name(common: str) -> Any:
        said = [(NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, "a local machine, known to nobody else")]
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in said])

    def usage(**yes: bool) -> Any:
        words = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
        off = dict.fromkeys([*words.split(), "encipher_only", "decipher_only"], False)
        return x509.KeyUsage(**{**off, **yes})

    def certificate(subject: str, key: Any, extensions: list[tuple[Any, bool]]) -> Any:
        made = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("storyboard local root"))
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        extensions += [
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False),
        ]
        for extension, critical in extensions:
            made = made.add_extension(extension, critical)
        return made.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root = certificate(
        "storyboard local root",
        root_key,
        [(x509.BasicConstraints(ca=True, path_length=0), True), (usage(key_cert_sign=True, crl_sign=True), True)],
    )
    leaf = certificate(
        "storyboard local signer",
        leaf_key,
        [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False),
        ],
    )
    secret = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, data in ((place / ROOT, root), (place / CHAIN, leaf + root), (place / KEY, secret)):  # the key last
            _write(path, data)
    except OSError as error:
        raise WriteError(f"the keys cannot be written: {error.strerror}", where=str(place)) from error


def given(key: Path, chain: Path | None = None) -> Signing:
    """A studio's key and certificates. One PEM file may hold both.

    Raises AssembleError when they do not belong together, are of a kind that C2PA does not know, or cannot be read.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    mend = "give a PEM file with the private key (without a password) and the certificates, the signer's own first"
    try:
        private = serialization.load_pem_private_key(_section(key.read_bytes(), b"PRIVATE KEY"), None)
        certificates = x509.load_pem_x509_certificates((chain or key).read_bytes())
    except OSError as error:
        raise AssembleError(
            f"it cannot be read: {error.strerror}", where=str(error.filename or key), mend=mend
        ) from None
    except (ValueError, TypeError) as error:
        raise AssembleError(f"this is no key to sign with ({str(error)[:100]})", where=str(key), mend=mend) from None
    if private.public_key() != certificates[0].public_key():
        raise AssembleError("the first certificate is not that of the key", where=str(key), mend=mend)
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.key_size in (256, 384, 521):
        algorithm = {256: "es256", 384: "es384", 521: "es512"}[private.curve.key_size]
    elif isinstance(private, ed25519.Ed25519PrivateKey):
        algorithm = "ed25519"
    elif isinstance(private, rsa.RSAPrivateKey):
        algorithm = "ps256"
    else:
        raise AssembleError(
            "C2PA does not know this kind of key", where=str(key), mend="use P-256, P-384, P-521, Ed25519 or RSA"
        )
    encoding = serialization.Encoding.PEM
    secret = private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Signing("".join(each.public_bytes(encoding).decode() for each in certificates), secret.decode(), algorithm)


def _section(data: bytes, title: bytes) -> bytes:
    """The first part of a PEM file of that title, as of several the loader would take the first of any."""
    start = data.find(b"-----BEGIN ")
    while start >= 0:
        end = data.find(b"-----END ", start)
        stop = data.find(b"\n", end) if end >= 0 else -1
        part = data[start : stop if stop >= 0 else len(data)]
        if title in part.split(b"\n", 1)[0]:
            return part + b"\n"
        start = data.find(b"-----BEGIN ", start + 1)
    return data


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, path)
