"""An index that is not easily reached: by a proxy alone, with certificates of its own authority, and a password.

Told as uv is told and as pip is told; uv and Packyard's own downloads are real, and so is every connection.
"""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from packyard.tasks.kinds.interpreter.choice import RUNNING

from tests.conftest import Space
from tests.index import Index, proxying, serving

SECRET = "swordfish-8"
HOST = "index.example"  # which has no address: only the proxy leads there
MANIFEST = """\
[project]
name = "app"
version = "1.0"
dependencies = ["good"]

[tool.flavor]
entry_point = "app:main"

[tool.flavor.build]
pip = false
"""


_SIGNS = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


class Authority:
    """An authority that nobody knows, and who it vouches for: PEM files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])
        builder = _certificate(self._name, self._name, self._key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        # Python 3.13 takes a chain only when it says all that RFC 5280 asks for.
        builder = builder.add_extension(_SIGNS, critical=True)
        subject = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = builder.add_extension(subject, critical=False)
        self._issued = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject)
        self.file = folder / "authority.pem"
        self.file.write_bytes(builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def vouch(self, name: str) -> Path:
        """The key and certificate of a host or a user."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), self._name, key)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        builder = builder.add_extension(self._issued, critical=False)
        file = self._folder / f"{name}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(secret + builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        return file


def _certificate(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=7))
    )


@dataclass(frozen=True)
class Far:
    """The index, the way to it, and a folder for files about it."""

    index: Index
    proxy: str
    seen: list[str]  # by the proxy
    authority: Path
    user: Path


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.vouch(HOST))
    tls.load_verify_locations(authority.file)
    tls.verify_mode = ssl.CERT_REQUIRED
    index, seen = Index(), list[str]()
    index.origin = f"https://{HOST}"
    index.password = f"me:{SECRET}"
    index.add_wheel("good", "1.0")
    with serving(index, tls), proxying(index, seen) as proxy:
        yield Far(index, proxy, seen, authority.file, authority.vouch("me.example"))


@pytest.fixture
def space(make_space: Callable[[str], Space]) -> Space:
    """A workspace with one application, and a password in the netrc of its home."""
    space = make_space("far")
    space.write("packyard.toml", f'[workspace]\nname = "w"\nmembers = ["app"]\n[toolchain]\npython = "{RUNNING}"\n')
    space.write("app/pyproject.toml", MANIFEST)
    space.write("app/app.py", "import good\n\ndef main(): ...\n")
    (space.home / ".netrc").write_text(f"machine {HOST} login me password {SECRET}\n")
    (space.home / ".netrc").chmod(0o600)
    space.env.update(UV_CACHE_DIR=str(space.home / "uv"), UV_HTTP_RETRIES="0")
    return space


def as_uv(space: Space, far: Far) -> Space:
    """Told by the variables that uv, and most programs, know."""
    told = {
        "UV_DEFAULT_INDEX": far.index.url, "HTTPS_PROXY": far.proxy, "SSL_CERT_FILE": str(far.authority),
        "SSL_CLIENT_CERT": str(far.user),
    }  # fmt: skip
    return replace(space, env={**space.env, **told})


def as_pip(space: Space, far: Far) -> Space:
    """Told by the configuration of pip."""
    file = space.home / "pip.conf"
    settings = {"index-url": far.index.url, "proxy": far.proxy, "cert": far.authority, "client-cert": far.user}
    file.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    return replace(space, env={**space.env, "PIP_CONFIG_FILE": str(file)})


@pytest.mark.real
@pytest.mark.long
@pytest.mark.parametrize("told", [as_uv, as_pip])
def test_index_of_an_own_authority_behind_a_proxy_is_locked_and_built_from(
    space: Space, far: Far, told: Callable[[Space, Far], Space]
) -> None:
    space = told(space, far)
    assert space.packyard("lock", "app").out == "wrote    app/pylock.toml  1 distribution\n"
    assert f'url = "{far.index.file_url("good-1.0-py3-none-any.whl")}"' in space.text("app/pylock.toml")
    far.index.served.clear()
    far.seen.clear()
    assert "env:app" in space.packyard("env:app").ran
    assert far.index.served == ["good-1.0-py3-none-any.whl"]
    assert set(far.seen) == {f"CONNECT {HOST}:443"}
    for folder in (space.root, space.home):
        for path in folder.rglob("*"):
            if path.is_file() and path.name != ".netrc" and "uv" not in path.relative_to(folder).parts:
                assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("lost", "uv", "ours"),
    [
        ("SSL_CERT_FILE", "UnknownIssuer", "point SSL_CERT_FILE to the certificates of your authorities"),
        ("SSL_CLIENT_CERT", "", "check the network, HTTPS_PROXY and SSL_CERT_FILE"),
        ("HTTPS_PROXY", "dns error", "check the network, HTTPS_PROXY and SSL_CERT_FILE"),
    ],
)
def test_way_that_is_not_told_is_said_to_be_missing(space: Space, far: Far, lost: str, uv: str, ours: str) -> None:
    space = as_uv(space, far)
    space.packyard("lock", "app")
    less = replace(space, env={name: value for name, value in space.env.items() if name != lost})
    done = less.packyard("lock", "app", "--upgrade", status=1)
    assert done.err.startswith("error: app/pylock.toml: cannot ask the package index for good\n")
    assert uv in done.err
    assert done.err.endswith("  hint: check the network, UV_DEFAULT_INDEX, HTTPS_PROXY, SSL_CERT_FILE\n")
    done = less.packyard("env:app", status=1)
    assert f"{far.index.file_url('good-1.0-py3-none-any.whl')} cannot be fetched: " in done.out
    assert ours in done.out
    assert SECRET not in done.out + done.err


@pytest.mark.real
@pytest.mark.long
def test_index_without_tls_is_reached_by_the_proxy_of_http(space: Space) -> None:
    index, seen = Index(), list[str]()
    index.origin = f"http://{HOST}"
    index.password = f"me:{SECRET}"
    index.add_wheel("good", "1.0")
    with serving(index), proxying(index, seen) as proxy:
        env = {"UV_DEFAULT_INDEX": index.url, "HTTP_PROXY": proxy, "http_proxy": proxy}
        space = replace(space, env={**space.env, **env})
        space.packyard("lock", "app")
        assert "env:app" in space.packyard("env:app").ran
    assert {word.partition("/files/")[0] for word in seen if word.startswith("GET")} == {
        f"GET http://{HOST}/simple/good/", f"GET http://{HOST}",
    }  # fmt: skip
