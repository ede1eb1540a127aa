"""Encryption of a finished record as ODK Collect does it, and key pairs to try it with."""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

NAMESPACE = "http://www.opendatakit.org/xforms/encrypted"
OPENROSA = "http://openrosa.org/xforms"


@dataclass(frozen=True)
class Keys:
    """A key pair as a coordinator has it: the private key in a file, the public one in the settings sheet of the form."""

    private: rsa.RSAPrivateKey

    @classmethod
    def make(cls) -> "Keys":
        return cls(rsa.generate_private_key(65537, 2048))

    def pem(self, passphrase: str = "") -> bytes:
        protection = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)

    @property
    def public_der(self) -> bytes:
        return self.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def public_text(self) -> str:
        """What stands in `public_key` of the settings sheet."""
        return b64encode(self.public_der).decode()

    def sealed(self, data: bytes) -> str:
        scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        return b64encode(self.private.public_key().encrypt(data, scheme)).decode()


@dataclass(frozen=True)
class Sealed:
    """An encrypted record on the phone: the envelope and the `.enc` files in the order they were encrypted."""

    envelope: bytes
    files: dict[str, bytes]


def seal(
    keys: Keys,
    instance_id: str,
    xml: bytes,
    media: dict[str, bytes] | None = None,
    *,
    form_id: str = "flock_count",
    version: str | None = "2026050201",
    namespace: str = NAMESPACE,
    aes_key: bytes = b"",
    tamper: Callable[[str], str] = str,
) -> Sealed:
    """Encrypt a record: media first, the answers last. `tamper` changes the text that is signed."""
    aes_key = aes_key or secrets.token_bytes(32)
    sealed_key = keys.sealed(aes_key)
    seed = int.from_bytes(hashlib.md5(instance_id.encode() + aes_key).digest(), "big")
    lines = [form_id, *([version] if version is not None else []), sealed_key, instance_id]
    files = {}
    for step, (name, data) in enumerate({**(media or {}), "submission.xml": xml}.items()):
        files[f"{name}.enc"] = _encrypted(data, aes_key, _vector(seed, step + 1))
        lines.append(f"{name}::{hashlib.md5(data).hexdigest()}")
    signature = keys.sealed(hashlib.md5(tamper("\n".join([*lines, ""])).encode()).digest())
    listed = "".join(f"<media><file>{escape(name)}.enc</file></media>\n" for name in media or {})
    version_text = f" version={quoteattr(version)}" if version is not None else ""
    envelope = (
        f'<data xmlns="{namespace}" id={quoteattr(form_id)}{version_text} encrypted="yes"><base64EncryptedKey>{sealed_key}'
        f'</base64EncryptedKey><orx:meta xmlns:orx="{OPENROSA}"><orx:instanceID>{instance_id}</orx:instanceID></orx:meta>\n{listed}'
        f"<encryptedXmlFile>submission.xml.enc</encryptedXmlFile><base64EncryptedElementSignature>{signature}"
        "</base64EncryptedElementSignature></data>"
    )
    return Sealed(envelope.encode(), files)


def _vector(seed: int, steps: int) -> bytes:
    """Byte k of the seed has been incremented once for each step s <= steps with (s - 1) mod 16 = k."""
    before = seed.to_bytes(16, "big")
    return bytes((byte + (steps - index + 15) // 16) & 0xFF for index, byte in enumerate(before))


def _encrypted(data: bytes, aes_key: bytes, vector: bytes) -> bytes:
    missing = 16 - len(data) % 16
    encryptor = Cipher(algorithms.AES(aes_key), CFB(vector)).encryptor()
    return encryptor.update(data + bytes([missing]) * missing) + encryptor.finalize()
