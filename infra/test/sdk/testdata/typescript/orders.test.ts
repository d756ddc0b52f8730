import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { PostinoError, VerificationError, verify, type Postino } from "@postino/sdk";
import { receive, startLocal, type Local, type Receiver } from "@postino/sdk/testing";

let local: Local, hook: Receiver, client: Postino, secret: string;

beforeEach(async () => {
  local = await startLocal();
  hook = await receive();
  client = local.client("acme");
  const made = await client.subscriptions.create({
    url: hook.url,
    types: ["order.created"],
    trigger: { key: "subject", delay: "1h", cancel: [{ types: ["order.paid"] }] },
  });
  secret = made.secret;
});

afterEach(async () => {
  await hook.close();
  await local.close();
});

test("who does not pay is reminded after an hour", async () => {
  await client.publish([
    { type: "order.created", subject: "ada", data: { order: 1 } },
    { type: "order.created", subject: "bob", data: { order: 2 } },
  ]);
  await local.advance("30m");
  await client.publish({ type: "order.paid", subject: "ada", data: { order: 1 } });
  await local.advance("31m");
  const callbacks = await hook.wait(1);
  assert.equal(callbacks.length, 1);
  callbacks[0]!.verify(secret);
  assert.equal(callbacks[0]!.json().subject, "bob");
});

test("a failed callback is retried", async () => {
  hook.answer = (callback) => (callback.headers["postino-attempt"] === "1" ? 503 : 204);
  await client.publish({ type: "order.created", subject: "ada", data: {} });
  await local.advance("1h");
  await local.advance("10s");
  const [first, second] = await hook.wait(2);
  assert.equal(first!.headers["webhook-id"], second!.headers["webhook-id"]);
  for await (const delivery of client.deliveries.list({ status: "succeeded" })) assert.equal(delivery.attempt_count, 2);
});

test("lists are read to their end", async () => {
  const published = await client.publish(Array.from({ length: 1100 }, (_, n) => ({ type: "t", data: n })));
  assert.equal(new Set(published.ids).size, 1100);
  await local.advance("1s");
  const listed = new Set<string>();
  for await (const event of client.events.list({ type: "t", limit: 200 })) listed.add(event.id);
  assert.deepEqual(listed, new Set(published.ids));
});

test("a repeat with the same key publishes nothing", async () => {
  const events = Array.from({ length: 600 }, (_, n) => ({ type: "t", data: n }));
  const first = await client.publish(events, { idempotencyKey: "import-7" });
  const again = await client.publish(events, { idempotencyKey: "import-7" });
  assert.deepEqual(again.ids, first.ids);
});

test("a refusal names the field", async () => {
  await assert.rejects(client.subscriptions.create({ url: "ftp://a.example" }), (error) => {
    assert(error instanceof PostinoError);
    assert.deepEqual([error.status, error.code, error.errors[0]?.field], [422, "invalid_request", "url"]);
    return true;
  });
});

test("a changed callback is refused", async () => {
  await client.publish({ type: "order.created", subject: "ada", data: {} });
  await local.advance("1h");
  const [callback] = await hook.wait(1);
  callback!.verify(secret);
  const { headers, body } = callback!;
  for (const [h, b, now] of [
    [headers, body + " ", new Date()],
    [headers, body, new Date(Date.now() + 301_000)],
    [{ ...headers, "webhook-signature": "v1,AAAA" }, body, new Date()],
    [{}, body, new Date()],
  ] as const) {
    assert.throws(() => verify(secret, h, b, { now }), VerificationError);
  }
});
