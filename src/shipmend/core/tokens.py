"""The shape of a secret: prefix, randomness, checksum.

The prefix lets leak scanners and people recognise one, the checksum tells a typing error without asking the
database, and 178 random bits need no slow hash: a plain SHA-256 is what is stored.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

PREFIX = "shipmend_api_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_CHARACTERS = 30
CHECKSUM_CHARACTERS = 6

TOKEN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}}")
"""Published, so that scanners can find leaked tokens and logs can mask them."""


def mint() -> str:
    """A new token."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return PREFIX + body + _checksum(body)


def is_well_formed(token: str) -> bool:
    """Whether prefix, length and checksum fit: false for what was never a token of ours."""
    if not TOKEN.fullmatch(token):
        return False
    body = token[len(PREFIX) : -CHECKSUM_CHARACTERS]
    return token.endswith(_checksum(body))


def digest(token: str) -> bytes:
    """What is stored of a token, and looked up."""
    return hashlib.sha256(token.encode()).digest()


def hint(token: str) -> str:
    """What may be shown of a token afterwards."""
    return f"{token[: len(PREFIX)]}…{token[-4:]}"


def mask(text: str) -> str:
    """`text` with every token in it made unusable, for logs."""
    return TOKEN.sub(lambda found: hint(found.group()), text)


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
