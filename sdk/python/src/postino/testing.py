"""Starts Postino and a receiver in a test.

    with start_local() as local, receive() as hook:
        client = local.client("acme")
        client.subscriptions.create({"url": hook.url})
        client.publish({"type": "order.paid", "data": 1})
        hook.wait(1)
        local.advance("1h")
"""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .client import Postino
from .transport import Transport
from .verification import verify

__all__ = ["Callback", "Local", "Receiver", "receive", "start_local"]


class Local:
    """A running Postino whose clock stands still until you advance it."""

    def __init__(self, url: str, key: str):
        self.url, self.key = url, key
        self.now = time.time()  # of its clock, in seconds since 1970

    def client(self, tenant: str) -> Postino:
        return Postino(self.url, self.key, tenant)

    def advance(self, duration: str) -> None:
        """Advances the clock, for example by "1h". It returns when everything that became due was sent."""
        answer = Transport(self.url, self.key, timeout=120).request("POST", "/v1/clock", {"advance": duration})
        self.now = datetime.fromisoformat(answer["now"]).timestamp()


@contextmanager
def start_local(program: str | None = None) -> Iterator[Local]:
    """Starts local mode with a clock that stands still, and stops it at the end.

    `program` is the program `postino`; by default that of POSTINO_PROGRAM, or the
    one in the PATH. Its data are in a folder that is removed.
    """
    program = program or os.environ.get("POSTINO_PROGRAM") or shutil.which("postino")
    if not program:
        raise FileNotFoundError("there is no postino: install it, or set POSTINO_PROGRAM to its path")
    with tempfile.TemporaryDirectory(prefix="postino-test-") as data:
        command = [program, "serve", "-test-clock", "-addr", "127.0.0.1:0", "-data", data]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                listens = re.search(r"https?://\S+", process.stdout.readline())
                if not listens:
                    raise RuntimeError(f"{program} did not start")
                with open(os.path.join(data, "admin.key")) as file:
                    key = file.read().strip()
                yield Local(listens[0], key)
            finally:
                process.terminate()


@dataclass(frozen=True)
class Callback:
    """A request that a receiver got. The names of its headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def verify(self, secret: str) -> str:
        """Verifies the signature, and returns the id of the delivery. Its time is that of the real clock."""
        return verify(secret, self.headers, self.body)


class Receiver:
    """Takes callbacks. `answer` decides the status of each; by default 204."""

    def __init__(self, url: str):
        self.url = url
        self.answer: Callable[[Callback], int] = lambda callback: 204
        self.callbacks: list[Callback] = []
        self._came = threading.Condition()

    def wait(self, count: int, timeout: float = 30) -> list[Callback]:
        """Waits until as many callbacks have come in all, and returns those that came."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.callbacks) >= count, timeout):
                raise TimeoutError(f"{len(self.callbacks)} callbacks came in {timeout} s, want {count}")
            return list(self.callbacks)

    def _take(self, callback: Callback) -> int:
        status = self.answer(callback)
        with self._came:
            self.callbacks.append(callback)
            self._came.notify_all()
        return status


@contextmanager
def receive() -> Iterator[Receiver]:
    """Starts a receiver on a free port of 127.0.0.1, and stops it at the end."""

    class Handler(BaseHTTPRequestHandler):
        def handle_callback(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver._take(Callback(self.path, headers, body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = do_PATCH = do_DELETE = handle_callback

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
