"""The client of one tenant."""

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypedDict, Unpack, cast
from urllib.parse import quote

from . import types
from .transport import Transport

MAX_EVENTS = 500  # of one request
MAX_BYTES = 3 << 20  # of one request; the API takes 4 MiB


class Published(NamedTuple):
    """The ids of published events in their order, and of those that were accepted before."""

    ids: list[str]
    duplicates: list[str]


class Page(TypedDict, total=False):
    """What all lists take. `limit` is that of one request; iteration goes on to the next."""

    limit: int
    order: str
    after: str
    before: str


class Deliveries(Page, total=False):
    """What a list of deliveries takes."""

    subscription: str
    event: str
    source: str
    status: str
    subject: str


class Events(Page, total=False):
    """What a list of events takes."""

    type: str
    subject: str


class Postino:
    """The API for one tenant. It keeps no connection and can be used by several threads.

    `key` is the admin key or a key of the tenant. Each request can take `timeout`
    seconds, and is tried up to `tries` times.
    """

    def __init__(self, url: str, key: str, tenant: str, *, timeout: float = 30, tries: int = 6):
        self._transport = Transport(url, key, timeout, tries)
        self._tenant = f"/v1/tenants/{quote(tenant, safe='')}"
        self.subscriptions = SubscriptionsOf(self)
        self.deliveries = DeliveriesOf(self)
        self.events = EventsOf(self)

    def publish(self, events: types.NewEvent | Iterable[types.NewEvent], *, idempotency_key: str | None = None) -> Published:
        """Publishes one event or any number, in requests of at most 500 events and 3 MiB.

        It returns when all are durable. Faults are retried with an idempotency key,
        so nothing is published twice. Give a key of your own if your program may
        call this again for the same events, for example after a crash.
        """
        listed = [cast(types.NewEvent, events)] if isinstance(events, dict) else list(events)
        key = idempotency_key or str(uuid.uuid4())
        ids: list[str] = []
        duplicates: list[str] = []
        for n, batch in enumerate(batches(listed)):
            headers = {"Idempotency-Key": key if n == 0 else f"{key}/{n}"}
            answer = self.request("POST", "/events", batch, headers=headers)
            ids += answer["ids"]
            duplicates += answer.get("duplicates", [])
        return Published(ids, duplicates)

    def request(self, method: str, path: str, body: Any = None, *,
                query: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Any:
        """Calls any route of the tenant, such as `request("GET", "/stats")`, and returns the answer's JSON."""
        return self._transport.request(method, self._tenant + path, body, query=query, headers=headers)

    def each(self, path: str, query: dict[str, Any] | None = None) -> Iterator[Any]:
        """Iterates over any list of the tenant, page by page."""
        query = dict(query or {})
        while True:
            page = self.request("GET", path, query=query)
            yield from page["data"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]


def batches(events: list[types.NewEvent]) -> Iterator[list[types.NewEvent]]:
    """Splits events into requests, always in the same way."""
    batch: list[types.NewEvent] = []
    size = 0
    for event in events:
        length = len(json.dumps(event, ensure_ascii=False).encode())
        if batch and (len(batch) == MAX_EVENTS or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length + 2
    if batch:
        yield batch


class SubscriptionsOf:
    """The subscriptions of a tenant."""

    def __init__(self, postino: Postino):
        self._postino = postino

    def create(self, subscription: types.SubscriptionInput) -> types.CreatedSubscription:
        """Creates a subscription. The answer has the secret that signs its callbacks."""
        return self._postino.request("POST", "/subscriptions", subscription)

    def put(self, id: str, subscription: types.SubscriptionInput) -> types.Subscription:
        """Creates a subscription, or replaces all its fields."""
        return self._postino.request("PUT", path(id), subscription)

    def patch(self, id: str, change: types.SubscriptionPatch) -> types.Subscription:
        """Replaces the fields of `change`; None restores a default."""
        return self._postino.request("PATCH", path(id), change)

    def get(self, id: str) -> types.Subscription:
        return self._postino.request("GET", path(id))

    def list(self, **query: Unpack[Page]) -> Iterator[types.Subscription]:
        return self._postino.each("/subscriptions", dict(query))

    def delete(self, id: str) -> None:
        self._postino.request("DELETE", path(id))

    def pause(self, id: str) -> types.Subscription:
        return self._postino.request("POST", path(id) + "/pause")

    def resume(self, id: str) -> types.Subscription:
        return self._postino.request("POST", path(id) + "/resume")

    def secret(self, id: str) -> types.SigningSecret:
        """The secret that signs callbacks now."""
        return self._postino.request("GET", path(id) + "/secret")

    def rotate_secret(self, id: str, rotation: types.Rotation | None = None) -> types.CreatedSubscription:
        return self._postino.request("POST", path(id) + "/rotate-secret", rotation)


def path(id: str) -> str:
    return "/subscriptions/" + quote(id, safe="")


class DeliveriesOf:
    """The deliveries of a tenant."""

    def __init__(self, postino: Postino):
        self._postino = postino

    def list(self, **query: Unpack[Deliveries]) -> Iterator[types.Delivery]:
        return self._postino.each("/deliveries", dict(query))

    def get(self, id: str) -> types.DeliveryDetail:
        """A delivery with its attempts."""
        return self._postino.request("GET", "/deliveries/" + quote(id, safe=""))

    def retry(self, id: str) -> types.Delivery:
        """Makes one attempt now, in addition to the schedule."""
        return self._postino.request("POST", "/deliveries/" + quote(id, safe="") + "/retry")

    def cancel(self, id: str) -> types.Delivery:
        return self._postino.request("POST", "/deliveries/" + quote(id, safe="") + "/cancel")


class EventsOf:
    """The events of a tenant."""

    def __init__(self, postino: Postino):
        self._postino = postino

    def list(self, **query: Unpack[Events]) -> Iterator[types.Event]:
        return self._postino.each("/events", dict(query))

    def get(self, id: str, source: str | None = None) -> types.EventDetail:
        """An event with its deliveries. It is 404 until it is stored, normally for milliseconds."""
        return self._postino.request("GET", "/events/" + quote(id, safe=""), query={"source": source})
