"""The README's first callback, by the client of openapi-generator.

Its arguments are the server's address, its admin key, and the address of the
receiver. It prints the id of the delivery and the signing secret.
"""

import sys
import time

import postino

address, key, receiver = sys.argv[1:]
client = postino.ApiClient(postino.Configuration(host=address, access_token=key))
subscriptions = postino.SubscriptionsApi(client)
events = postino.EventsApi(client)
deliveries = postino.DeliveriesApi(client)

made = subscriptions.create_subscription("acme", postino.SubscriptionInput(
    id="fifth-flight",
    url=receiver + "/points",
    types=["flight.booked"],
    filter={"data": {"cabin": [{"anything-but": "award"}]}},
    trigger=postino.Trigger(key="subject", at=5, distinct="data.booking"),
    request=postino.RequestSpec(body={
        "user": "{{ subject }}", "points": 10, "reason": "flight {{ occasion.count }}, to {{ data.to }}",
    }),
))
assert made.trigger.at == 5, made

try:
    subscriptions.create_subscription("acme", postino.SubscriptionInput(url="https://10.0.0.1"))
except postino.exceptions.UnprocessableEntityException as refused:
    problem = refused.data
    assert problem.code == "invalid_request" and problem.errors[0].var_field == "url", problem
else:
    raise SystemExit("a bad url was taken")

bookings = ["B1", "B2", "B3", "B3", "B4", "B5", "B6"]
published = events.publish_events("acme", [
    postino.NewEvent(type="flight.booked", subject="bob", data={"booking": booking, "cabin": "economy", "to": "LIS"})
    for booking in bookings
])
assert len(published.ids) == len(bookings), published

found = []
end = time.monotonic() + 60
while not found and time.monotonic() < end:
    found = deliveries.list_deliveries("acme", subscription="fifth-flight", status=postino.Status.SUCCEEDED).data
    time.sleep(0.02)
one = deliveries.get_delivery("acme", found[0].id)
assert [a.status_code for a in one.attempts] == [200] and one.ended_at, one
print(one.id, made.secret)
