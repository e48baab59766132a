"""HTTPS for `serve --tls`: an authority that people trust once, and a certificate of it for each start.

Needs the extra `tls`; import this module only when HTTPS is asked for.
"""

import os
import ssl
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fake_convai.backend.surface import LABELS, PREVIEW_HOST, hosts, is_address
from fake_convai.domain.errors import CannotBeDone

CONVAI_HOSTS = (*hosts(), PREVIEW_HOST)
"""Whom a hosts file sends here (docs/contract.md section 1)."""

# The surfaces by host name, one by one: many clients take no wildcard right under localhost.
_ALWAYS = ("localhost", *(f"{label}.localhost" for label in LABELS), "127.0.0.1", "::1", *CONVAI_HOSTS)

# The authority can vouch for these and, with clients that check constraints, for nothing else: whoever steals its key
# cannot pretend to be somebody's bank.
_NAMES = ("localhost", *CONVAI_HOSTS, "fake-convai", "home.arpa", "internal", "lan", "local", "test")
_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)

_AUTHORITY_DAYS = 10 * 365
_RENEW_DAYS = 90
"""The authority is made anew when it has less left than a server may well run."""

_SERVER_DAYS = 397
"""Some systems refuse a server certificate that is valid for longer, whoever issued it."""


class Unusable(CannotBeDone):
    """HTTPS cannot be set up; the message is one line that says why."""


def default_folder() -> Path:
    """Where the authority is kept unless the settings say otherwise: where this user's programs keep their data."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "fake-convai"


def prepare(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """What a server on `host` needs, and the certificate file of the authority, which clients have to trust.

    The authority in `folder` is used, or made when there is none. Raises `Unusable`.
    """
    names = list(dict.fromkeys([*_ALWAYS, *_names_of(host)]))
    authority, path = _authority(folder)
    by_name = _context(authority, [name for name in names if not is_address(name)])

    def choose(connection: ssl.SSLObject, server_name: str | None, _: ssl.SSLContext) -> None:
        if server_name is not None and not is_address(server_name):
            connection.context = by_name

    # Mono knows no limits on addresses and refuses every chain in which one would have to be checked. Who asks for a
    # name is shown a certificate of names alone; only who asks for an address, which is sent no name, sees addresses.
    context = _context(authority, names)
    context.sni_callback = choose
    return context, path


def _context(authority: trustme.CA, names: list[str]) -> ssl.SSLContext:
    now = datetime.now(UTC)
    certificate = authority.issue_cert(
        *names,
        common_name="localhost",
        organization_name="fake-convai",
        not_before=now - timedelta(days=1),  # the clock of a headset or container may be behind
        not_after=now + timedelta(days=_SERVER_DAYS - 1),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _names_of(host: str) -> list[str]:
    """What the certificate has to say besides what it always does; an address for all interfaces is no name."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        name = host.lower().rstrip(".")
        if any(name == known or name.endswith(f".{known}") for known in _NAMES):
            return [name, *(f"{label}.{name}" for label in LABELS)]
        raise Unusable(
            f"--tls cannot vouch for the name {host}: use localhost, a private address or a name that ends in "
            f".local, .lan, .internal, .home.arpa or .test"
        ) from None
    if address.is_unspecified:
        return []
    if not any(address in ip_network(network) for network in _NETWORKS):
        raise Unusable(f"--tls cannot vouch for the public address {host}: use a private one")
    return [str(address)]


def _authority(folder: Path) -> tuple[trustme.CA, Path]:
    certificate_file, key_file = folder / "ca.pem", folder / "ca-key.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_current(certificate_file, key_file):
            _write(key_file, certificate_file)
        authority = trustme.CA.from_pem(certificate_file.read_bytes(), key_file.read_bytes())
    except (OSError, ValueError) as error:
        raise Unusable(
            f"cannot use the authority in {folder} ({error}): name another folder with --tls-folder"
        ) from error
    return authority, certificate_file


def _is_current(certificate_file: Path, key_file: Path) -> bool:
    if not certificate_file.exists() or not key_file.exists():
        return False
    until = x509.load_pem_x509_certificate(certificate_file.read_bytes()).not_valid_after_utc
    return until - datetime.now(UTC) > timedelta(days=_RENEW_DAYS)


def _write(key_file: Path, certificate_file: Path) -> None:
    """Make an authority. trustme could, but not with limits to what it may vouch for."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    now = datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "fake-convai"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"fake-convai, made on this machine on {now:%Y-%m-%d}"),
        ]
    )
    permitted = [
        *map(x509.DNSName, _NAMES),
        *(x509.IPAddress(ip_network(network)) for network in _NETWORKS),
    ]
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, decipher_only=False, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        # Not critical, as public authorities do too: a TLS library that does not know it would refuse the whole
        # certificate, and game engines bring such libraries.
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.unlink(missing_ok=True)  # so that the mode below counts
    with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
