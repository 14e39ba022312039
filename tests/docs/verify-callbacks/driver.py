"""Feeds requests from stdin to the guide's Python sample; one verdict a line. See samples.ts."""

import base64
import sys

import verify_callbacks


def field(text):
    return None if text == "-" else base64.b64decode(text)


def headers(names, fields):
    return {name: value.decode("utf-8") for name, value in zip(names, map(field, fields)) if value is not None}


def verdict(scheme, now_ms, *fields):
    try:
        if scheme == "V1":
            verify_callbacks.verify_v1(
                headers(["sign-version", "timestamp", "signature"], fields),
                field(fields[3]),
                app_id=field(fields[4]).decode("utf-8"),
                api_secret=field(fields[5]).decode("utf-8"),
                now_ms=int(now_ms),
            )
        else:
            verify_callbacks.verify_standard(
                headers(["webhook-id", "webhook-timestamp", "webhook-signature"], fields),
                field(fields[3]),
                secrets=field(fields[4]).decode("utf-8").split(" "),
                now_ms=int(now_ms),
            )
        return "ok"
    except verify_callbacks.Refused as refused:
        return str(refused)


for line in sys.stdin:
    print(verdict(*line.rstrip("\n").split("\t")))
