"""Requests to the API, with retries."""

import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

# Answers after which the same request may succeed. The API says by Retry-After when.
BUSY = {429, 502, 503, 504}


class PostinoError(Exception):
    """An answer of the API that is no success.

    `code` says for programs what is wrong; docs/errors.md lists all codes.
    `errors` names the wrong fields. An answer without a problem document has
    the code "".
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None):
        self.status = status
        self.retry_after = retry_after  # seconds that the answer asks to wait
        self.code: str = problem.get("code", "")
        self.detail: str = problem.get("detail", "")
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        self.accepted: list[str] = problem.get("accepted", [])
        wrong = "".join(f"; {e['field']}: {e['detail']}" for e in self.errors)
        super().__init__(f"{status} {self.code}: {self.detail}{wrong}")


class Transport:
    """Sends requests, and repeats those that may be repeated.

    GET, PUT and DELETE are repeated after a fault of the network, a 429, 502, 503
    or 504; so is a POST with an idempotency key. Other requests are repeated after
    a 429 only, because then they did nothing.
    """

    def __init__(self, url: str, key: str, timeout: float = 30, tries: int = 6):
        self.url, self.key, self.timeout, self.tries = url.rstrip("/"), key, timeout, tries

    def request(self, method: str, path: str, body: Any = None, *,
                query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        url = self.url + path
        values = {name: str(value) for name, value in (query or {}).items() if value is not None}
        if values:
            url += "?" + urllib.parse.urlencode(values)
        sent = {"Authorization": f"Bearer {self.key}", "User-Agent": "postino-python/0.1.0", **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            sent["Content-Type"] = "application/json"
        repeatable = method in ("GET", "PUT", "DELETE") or "Idempotency-Key" in sent
        for attempt in range(1, self.tries + 1):
            try:
                return self._once(urllib.request.Request(url, data, sent, method=method))
            except PostinoError as refused:
                if attempt == self.tries or not (refused.status == 429 or repeatable and refused.status in BUSY):
                    raise
                wait = refused.retry_after
            except (urllib.error.URLError, http.client.HTTPException, OSError):
                if attempt == self.tries or not repeatable:
                    raise
                wait = None
            time.sleep(pause(attempt) if wait is None else wait)

    def _once(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read()
            raise PostinoError(refused.code, problem_of(text), seconds(refused.headers.get("Retry-After"))) from None
        return json.loads(text) if text else None


def problem_of(text: bytes) -> Mapping[str, Any]:
    """What a refusal says; of one that is no JSON, its beginning as the detail."""
    try:
        problem = json.loads(text)
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return {"detail": problem.get("message", ""), **problem}
    return {"detail": text[:200].decode(errors="replace")}


def seconds(text: str | None) -> float | None:
    """Retry-After in seconds, at most a minute."""
    return min(float(text), 60) if text and text.isdecimal() else None


def pause(attempt: int) -> float:
    """Before the next try: up to 0.4 s, 0.8 s, … 20 s, by chance, so that many clients do not return at once."""
    return random.uniform(0.1, min(20, 0.2 * 2 ** attempt))
