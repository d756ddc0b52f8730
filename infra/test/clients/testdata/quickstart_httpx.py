"""The README's first callback, by the client of openapi-python-client.

Its arguments are the server's address, its admin key, and the address of the
receiver. It prints the id of the delivery and the signing secret.
"""

import sys
import time

from postino import AuthenticatedClient
from postino.api.deliveries import get_delivery, list_deliveries
from postino.api.events import publish_events
from postino.api.subscriptions import create_subscription
from postino.models import CreatedSubscription, NewEvent, Pattern, Problem, Published, RequestSpec, Status, SubscriptionInput, Trigger

address, key, receiver = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=key)

made = create_subscription.sync("acme", client=client, body=SubscriptionInput(
    id="fifth-flight",
    url=receiver + "/points",
    types=["flight.booked"],
    filter_=Pattern.from_dict({"data": {"cabin": [{"anything-but": "award"}]}}),
    trigger=Trigger(key="subject", at=5, distinct="data.booking"),
    request=RequestSpec(body={
        "user": "{{ subject }}", "points": 10, "reason": "flight {{ occasion.count }}, to {{ data.to }}",
    }),
))
assert isinstance(made, CreatedSubscription) and made.trigger.at == 5, made

refused = create_subscription.sync("acme", client=client, body=SubscriptionInput(url="ftp://a.example"))
assert isinstance(refused, Problem) and refused.errors[0].field == "url", refused

bookings = ["B1", "B2", "B3", "B3", "B4", "B5", "B6"]
published = publish_events.sync("acme", client=client, body=[
    NewEvent(type_="flight.booked", subject="bob", data={"booking": booking, "cabin": "economy", "to": "LIS"})
    for booking in bookings
])
assert isinstance(published, Published) and len(published.ids) == len(bookings), published

found = []
end = time.monotonic() + 60
while not found and time.monotonic() < end:
    found = list_deliveries.sync("acme", client=client, subscription="fifth-flight", status=Status.SUCCEEDED).data
    time.sleep(0.02)
one = get_delivery.sync("acme", found[0].id, client=client)
assert [a.status_code for a in one.attempts] == [200] and one.ended_at, one
print(one.id, made.secret)
