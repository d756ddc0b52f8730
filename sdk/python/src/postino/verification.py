"""Checks whether a request is a genuine and recent callback."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping

TOLERANCE = 5 * 60  # seconds between the callback's time and the clock, both ways
MAX_SIGNATURES = 8  # of one request; Postino sends at most five


class VerificationError(Exception):
    """The request is no genuine and recent callback. Answer it with 401."""


def verify(secret: str | Iterable[str], headers: Mapping[str, str], body: bytes, *,
           now: float | None = None, tolerance: float = TOLERANCE) -> str:
    """Returns the id of the delivery, or raises VerificationError.

    `secret` is `whsec_…` or the public key `whpk_…`, or several of them during a
    rotation. `headers` may have any spelling. `body` is what arrived, before it is
    parsed. A callback can arrive more than once, with the same id. `now` is the
    time in seconds since 1970, for tests; default the clock. Public keys need the
    package `cryptography`.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    id, timestamp, signatures = (required(fields, "webhook-" + name) for name in ("id", "timestamp", "signature"))
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        raise VerificationError("webhook-timestamp is not a time")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance:
        raise VerificationError("webhook-timestamp is too far from this clock")
    listed = signatures.split(" ")
    if len(listed) > MAX_SIGNATURES:
        raise VerificationError("too many signatures")
    signed = f"{id}.{timestamp}.".encode() + body
    for one in [secret] if isinstance(secret, str) else secret:
        if any(matches(one, signature, signed) for signature in listed):
            return id
    raise VerificationError("no signature matches: the body was changed, or the secret is wrong")


def required(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise VerificationError(f"the header {name} is missing")
    return fields[name]


def matches(secret: str, signature: str, signed: bytes) -> bool:
    kind, _, text = secret.partition("_")
    key = decoded(text)
    if not key or kind not in ("whsec", "whpk"):
        raise ValueError("want a secret whsec_… or a public key whpk_…")
    scheme, _, value = signature.partition(",")
    if kind == "whsec" and scheme == "v1":
        wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        return hmac.compare_digest(wanted, value.encode(errors="replace"))
    if kind == "whpk" and scheme == "v1a":
        return genuine(key, decoded(value), signed)
    return False


def genuine(key: bytes, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
