import time
import unittest

from postino import PostinoError, VerificationError, verify
from postino.testing import receive, start_local


class Reminders(unittest.TestCase):
    def setUp(self):
        self.local = self.enterContext(start_local())
        self.hook = self.enterContext(receive())
        self.client = self.local.client("acme")
        self.made = self.client.subscriptions.create({
            "url": self.hook.url,
            "types": ["order.created"],
            "trigger": {"key": "subject", "delay": "1h", "cancel": [{"types": ["order.paid"]}]},
        })

    def test_who_does_not_pay_is_reminded_after_an_hour(self):
        self.client.publish([
            {"type": "order.created", "subject": "ada", "data": {"order": 1}},
            {"type": "order.created", "subject": "bob", "data": {"order": 2}},
        ])
        self.local.advance("30m")
        self.client.publish({"type": "order.paid", "subject": "ada", "data": {"order": 1}})
        self.local.advance("31m")
        [callback] = self.hook.wait(1)
        callback.verify(self.made["secret"])
        self.assertIn(b'"subject":"bob"', callback.body)

    def test_a_failed_callback_is_retried(self):
        self.hook.answer = lambda callback: 503 if callback.headers["postino-attempt"] == "1" else 204
        self.client.publish({"type": "order.created", "subject": "ada", "data": {}})
        self.local.advance("1h")
        self.local.advance("10s")
        first, second = self.hook.wait(2)
        self.assertEqual(first.headers["webhook-id"], second.headers["webhook-id"])
        [delivery] = self.client.deliveries.list(status="succeeded")
        self.assertEqual(delivery["attempt_count"], 2)

    def test_lists_are_read_to_their_end(self):
        published = self.client.publish([{"type": "t", "data": n} for n in range(1100)])
        self.assertEqual(len(set(published.ids)), 1100)
        self.local.advance("1s")
        self.assertEqual({event["id"] for event in self.client.events.list(type="t", limit=200)}, set(published.ids))

    def test_a_repeat_with_the_same_key_publishes_nothing(self):
        events = [{"type": "t", "data": n} for n in range(600)]
        first = self.client.publish(events, idempotency_key="import-7")
        again = self.client.publish(events, idempotency_key="import-7")
        self.assertEqual(first.ids, again.ids)

    def test_a_refusal_names_the_field(self):
        with self.assertRaises(PostinoError) as refused:
            self.client.subscriptions.create({"url": "ftp://a.example"})
        self.assertEqual((refused.exception.status, refused.exception.code), (422, "invalid_request"))
        self.assertEqual(refused.exception.errors[0]["field"], "url")

    def test_a_changed_callback_is_refused(self):
        self.client.publish({"type": "order.created", "subject": "ada", "data": {}})
        self.local.advance("1h")
        [callback] = self.hook.wait(1)
        callback.verify(self.made["secret"])
        for headers, body, now in [
            (callback.headers, callback.body + b" ", None),
            (callback.headers, callback.body, time.time() + 301),
            ({**callback.headers, "webhook-signature": "v1,AAAA"}, callback.body, None),
            ({}, callback.body, None),
        ]:
            with self.assertRaises(VerificationError):
                verify(self.made["secret"], headers, body, now=now)


if __name__ == "__main__":
    unittest.main()
