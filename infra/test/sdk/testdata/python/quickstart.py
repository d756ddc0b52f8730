import os

from postino import Postino
from postino.testing import receive

client = Postino(os.environ["POSTINO_URL"], os.environ["POSTINO_KEY"], "acme")

with receive() as hook:
    made = client.subscriptions.create({
        "id": "fifth-flight",
        "url": hook.url + "/points",
        "types": ["flight.booked"],
        "filter": {"data": {"cabin": [{"anything-but": "award"}]}},
        "trigger": {"key": "subject", "at": 5, "distinct": "data.booking"},
        "request": {"body": {"user": "{{ subject }}", "points": 10, "reason": "flight {{ occasion.count }}, to {{ data.to }}"}},
    })
    client.publish([
        {"type": "flight.booked", "subject": "bob", "data": {"booking": booking, "cabin": "economy", "to": "LIS"}}
        for booking in ("B1", "B2", "B3", "B3", "B4", "B5", "B6")
    ])
    callback = hook.wait(1)[0]
    print(callback.path, callback.body.decode())
