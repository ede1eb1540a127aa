"""Encrypted submissions: reading the envelope and, with the private key, what is in it.

ODK XForms specification, "Declaring that a form should be encrypted", and ODK Collect, `EncryptionUtils`: one AES-256 key per
record, itself encrypted with RSA (OAEP, SHA-256, MGF1 with SHA-256). Every file is encrypted with AES in CFB mode (feedback of a
whole block) and PKCS#7 padding. The initialisation vector begins as MD5(instance id, AES key); before each file the next of its
bytes is incremented, so the order of the files matters and a file that never came still takes its step.
"""

import hashlib
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from lxml import etree

from forms.problems import Problem
from forms.xml import MAX_XML_BYTES, child, local_name, text_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SUFFIX = ".enc"
_CHUNK = 128 * 1024
_AES_BYTES = 32
_BLOCK_BYTES = 16

Opener = Callable[[], IO[bytes]]
Writer = Callable[[str, Iterable[bytes]], None]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What can be read without a key. `version` is None where there is none; `media` and `xml_file` are names ending in .enc."""

    form_id: str
    version: str | None
    instance_id: str
    key: str
    media: tuple[str, ...]
    xml_file: str
    signature: str

    @classmethod
    def read(cls, root: etree._Element) -> "Envelope":
        """The envelope with this root element, in whichever namespace; what is not there is an empty text."""
        meta = child(root, "meta")
        found = (text_of(file) for node in root if local_name(node) == "media" for file in node if local_name(file) == "file")
        return cls(
            form_id=root.get("id", ""),
            version=root.get("version"),
            instance_id=text_of(child(meta, "instanceID")) if meta is not None else "",
            key=text_of(child(root, "base64EncryptedKey")),
            media=tuple(name for name in found if name),
            xml_file=text_of(child(root, "encryptedXmlFile")),
            signature=text_of(child(root, "base64EncryptedElementSignature")),
        )

    @property
    def files(self) -> tuple[str, ...]:
        """All files, in the order they were encrypted."""
        return (*self.media, self.xml_file) if self.xml_file else self.media


@dataclass(frozen=True, slots=True)
class Decrypted:
    """What a key gave. `media` are the names of the files written.

    `missing` are files that never came and `broken` those that are damaged, by their names in the envelope. `is_signed` says
    whether the parts fit together as the phone wrote them, None where parts are missing; who wrote them it cannot tell, because
    anybody with the public key can sign.
    """

    xml: bytes
    media: tuple[str, ...]
    missing: tuple[str, ...]
    broken: tuple[str, ...]
    is_signed: bool | None


def read_private_key(pem: bytes, passphrase: str = "") -> "RSAPrivateKey":
    """The RSA key in this file (PEM or DER). Raises `Problem("key_unreadable")`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

    load = load_pem_private_key if pem.lstrip().startswith(b"-----") else load_der_private_key
    try:
        key = load(pem, passphrase.encode() or None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise Problem("key_unreadable", "Its passphrase is wrong, missing or not needed, or it is no private key.") from error
    if not isinstance(key, RSAPrivateKey):
        raise Problem("key_unreadable", "It is not an RSA key.")
    return key


def decrypt(envelope: Envelope, private_key: "RSAPrivateKey", files: Mapping[str, Opener], write: Writer) -> Decrypted:
    """Decrypt a record: `files` opens what came, by name; `write(name, chunks)` gets each media file, which may be of any size.

    Media that are missing or damaged are reported and do not keep the others from being decrypted. A damaged file is written as
    far as it goes; `write` has to take all chunks. Raises `Problem` "key_wrong", "envelope_broken" or "too_large".
    """
    aes_key = _unwrapped(private_key, envelope.key)
    if aes_key is None or len(aes_key) != _AES_BYTES:
        raise Problem("key_wrong", "" if aes_key is None else "It gives no AES-256 key.")
    if not envelope.instance_id or not envelope.xml_file:
        raise Problem("envelope_broken", "It lacks the instanceID or the name of the encrypted XML.")
    return _Decryption(envelope, aes_key, files, write).run(private_key)


class _Decryption:
    """The decryption of one record, file by file."""

    def __init__(self, envelope: Envelope, aes_key: bytes, files: Mapping[str, Opener], write: Writer) -> None:
        self.envelope, self.files, self.write = envelope, files, write
        self.aes_key = aes_key
        self.missing: list[str] = []
        self.broken: list[str] = []
        self.md5: dict[str, str] = {}  # of plain contents, by plain name

    def run(self, private_key: "RSAPrivateKey") -> Decrypted:
        xml = bytearray()
        written = []
        vectors = initialisation_vectors(self.envelope.instance_id, self.aes_key)
        for name, vector in zip(self.envelope.files, vectors, strict=False):
            plain = name.removesuffix(SUFFIX)
            if name not in self.files:
                self.missing.append(name)
            elif name == self.envelope.xml_file:
                for chunk in self._chunks(name, vector):
                    xml += chunk
                    if len(xml) > MAX_XML_BYTES:
                        raise Problem("too_large", f"The answers take more than {MAX_XML_BYTES // 1_000_000} MB.")
            else:
                self.write(plain, self._chunks(name, vector))
                written.append(plain)
        is_signed = None if self.missing else not self.broken and self._signature_fits(private_key)
        return Decrypted(bytes(xml), tuple(written), tuple(self.missing), tuple(self.broken), is_signed)

    def _chunks(self, name: str, vector: bytes) -> Iterator[bytes]:
        from cryptography.hazmat.decrepit.ciphers.modes import CFB
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
        from cryptography.hazmat.primitives.padding import PKCS7

        cipher = Cipher(algorithms.AES(self.aes_key), CFB(vector)).decryptor()
        padding = PKCS7(_BLOCK_BYTES * 8).unpadder()
        md5 = hashlib.md5(usedforsecurity=False)
        with self.files[name]() as file:
            while data := file.read(_CHUNK):
                chunk = padding.update(cipher.update(data))
                md5.update(chunk)
                yield chunk
        try:
            chunk = padding.update(cipher.finalize()) + padding.finalize()
        except ValueError:
            self.broken.append(name)
            return
        md5.update(chunk)
        yield chunk
        self.md5[name.removesuffix(SUFFIX)] = md5.hexdigest()

    def _signature_fits(self, private_key: "RSAPrivateKey") -> bool:
        envelope = self.envelope
        lines = [envelope.form_id, *([] if envelope.version is None else [envelope.version]), envelope.key, envelope.instance_id]
        lines += [f"{name}::{self.md5[name]}" for name in (name.removesuffix(SUFFIX) for name in envelope.files)]
        signed = "".join(f"{line}\n" for line in lines).encode()
        return _unwrapped(private_key, envelope.signature) == hashlib.md5(signed, usedforsecurity=False).digest()


def initialisation_vectors(instance_id: str, aes_key: bytes) -> Iterator[bytes]:
    """One vector of 16 bytes for each file of a record, in order, without end."""
    vector = bytearray(hashlib.md5(instance_id.encode() + aes_key, usedforsecurity=False).digest())
    while True:
        for index in range(_BLOCK_BYTES):
            vector[index] = (vector[index] + 1) % 256
            yield bytes(vector)


def _unwrapped(private_key: "RSAPrivateKey", text: str) -> bytes | None:
    """What was encrypted for this key (OAEP with SHA-256 throughout), or None."""
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        return private_key.decrypt(b64decode(text), OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None))
    except ValueError:
        return None
