"""Verifies Cardwright's callbacks. Standard library only, Python 3.9 or newer."""

import base64
import hashlib
import hmac
import json
import re
import time
from decimal import Decimal

TOLERANCE_MS = 300_000  # five minutes
BODY_BYTES_MAX = 1_048_576  # a callback has a few hundred
SIGNATURES_MAX = 10  # the header holds two while a secret is being changed


class Refused(Exception):
    """Not from the platform, or not from now: answer a code that is not 0, and book nothing."""


def verify_v1(headers, body, *, app_id, api_secret, now_ms=None):
    """Headers by lower-case name, body as bytes. Answers the callback's id, action and data."""
    if not api_secret:
        raise ValueError("the API secret is empty: anyone could sign")
    if headers.get("sign-version") != "V1":
        raise Refused("sign_version_unknown")
    signature = headers.get("signature", "")
    if not signature:
        raise Refused("signature_missing")
    timestamp = headers.get("timestamp", "")
    if not re.fullmatch("[0-9]{13}", timestamp):
        raise Refused("timestamp_invalid")
    _check_time(int(timestamp), now_ms)
    try:
        if len(body) > BODY_BYTES_MAX:
            raise ValueError("too large")
        top = _members(body.decode("utf-8"))  # raises for bytes that are not UTF-8
        data = _members(top["data"][1])
        callback = {"id": _text(top["id"]), "action": top["action"][0], "data": {k: v for k, (v, _) in data.items()}}
        if not callback["id"] or not isinstance(callback["action"], str) or not callback["action"]:
            raise ValueError("id or action")
        if "appId" in data or "timestamp" in data:
            raise ValueError("a member that would hide behind the signature's own")
        pairs = {key: _text(member) for key, member in data.items() if member[0] is not None}
        pairs.update(appId=app_id, timestamp=timestamp)
        signed = "&".join(f"{key}={pairs[key]}" for key in sorted(pairs)).encode("utf-8")
    except (ValueError, KeyError, RecursionError) as error:
        raise Refused("body_invalid") from error
    expected = hmac.new(api_secret.encode("utf-8"), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise Refused("signature_mismatch")
    return callback


def verify_standard(headers, body, *, secrets, now_ms=None):
    """Standard Webhooks: covers the whole body, which json.loads may read afterwards."""
    webhook_id = headers.get("webhook-id", "")
    if not webhook_id or "." in webhook_id:
        raise Refused("id_invalid")
    signatures = headers.get("webhook-signature", "")
    if not signatures:
        raise Refused("signature_missing")
    timestamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", timestamp):
        raise Refused("timestamp_invalid")
    _check_time(int(timestamp) * 1000, now_ms)
    signed = f"{webhook_id}.{timestamp}.".encode("utf-8") + body
    expected = [b"v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")) for secret in secrets]
    given = [each.encode("utf-8", "replace") for each in signatures.split(" ")[:SIGNATURES_MAX]]
    # All are compared, so that the time does not tell which was good.
    if not any([hmac.compare_digest(e, g) for e in expected for g in given]):
        raise Refused("signature_mismatch")


def _check_time(signed_at_ms, now_ms):
    age_ms = (time.time_ns() // 1_000_000 if now_ms is None else now_ms) - signed_at_ms
    if age_ms > TOLERANCE_MS:
        raise Refused("timestamp_stale")
    if age_ms < -TOLERANCE_MS:
        raise Refused("timestamp_future")


def _key(secret):
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if not key:
        raise ValueError("a webhook secret is empty")
    return key


def _text(member):
    value, raw = member
    return value if isinstance(value, str) else raw


def _not_json(word):
    raise ValueError(word)  # NaN and Infinity, which Python's parser would take


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_not_json)
_blanks = re.compile(r"[ \t\r\n]*")


def _members(text):
    """The members of a JSON object, each as its value and as the text that it was sent as."""
    members = {}
    at, end = _token(text, 0, "{")
    if end != "{":
        raise ValueError("not an object")
    at, end = _token(text, at, '"}')
    while end != "}":
        key, at = _decoder.raw_decode(text, at - 1)
        if key in members:
            raise ValueError("a key twice: readers differ in which of the two they believe")
        at = _token(text, at, ":")[0]
        start = _blanks.match(text, at).end()
        value, at = _decoder.raw_decode(text, start)
        members[key] = (value, text[start:at])
        at, end = _token(text, at, ",}")
        if end == ",":
            at, _ = _token(text, at, '"')
    if _blanks.match(text, at).end() != len(text):
        raise ValueError("something behind the object")
    return members


def _token(text, at, wanted):
    at = _blanks.match(text, at).end()
    if at == len(text) or text[at] not in wanted:
        raise ValueError(f"one of {wanted} expected")
    return at + 1, text[at]
