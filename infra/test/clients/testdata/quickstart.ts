// The README's first callback, by the generated types. Its arguments are the server's address, its admin key, and the
// address of the receiver. It prints the id of the delivery and the signing secret.
import createClient from "openapi-fetch";
import type { components, paths } from "./postino.js";

declare const process: { argv: string[] };
const [address, key, receiver] = process.argv.slice(2) as [string, string, string];
const postino = createClient<paths>({ baseUrl: address, headers: { authorization: `Bearer ${key}` } });
const tenant = "acme";

const wish: components["schemas"]["SubscriptionInput"] = {
  url: `${receiver}/points`,
  types: ["flight.booked"],
  filter: { data: { cabin: [{ "anything-but": "award" }] } },
  trigger: { key: "subject", at: 5, distinct: "data.booking" },
  request: {
    body: { user: "{{ subject }}", points: 10, reason: "flight {{ occasion.count }}, to {{ data.to }}" },
  },
};

const made = await postino.PUT("/v1/tenants/{tenant}/subscriptions/{id}", {
  params: { path: { tenant, id: "fifth-flight" } },
  body: wish,
});
if (!made.data) throw new Error(`create: ${JSON.stringify(made.error)}`);
const subscription = made.data;
if (!("secret" in subscription) || subscription.trigger?.at !== 5) throw new Error(`create: ${JSON.stringify(subscription)}`);

const refused = await postino.POST("/v1/tenants/{tenant}/subscriptions", {
  params: { path: { tenant } },
  body: { url: "ftp://a.example" },
});
if (!refused.error || !("errors" in refused.error) || refused.error.errors?.[0]?.field !== "url") {
  throw new Error(`a bad url: ${JSON.stringify(refused)}`);
}

const bookings = ["B1", "B2", "B3", "B3", "B4", "B5", "B6"];
const published = await postino.POST("/v1/tenants/{tenant}/events", {
  params: { path: { tenant } },
  body: bookings.map((booking) => ({ type: "flight.booked", subject: "bob", data: { booking, cabin: "economy", to: "LIS" } })),
});
if (published.data?.ids.length !== bookings.length) throw new Error(`publish: ${JSON.stringify(published.error)}`);

const filter = { subscription: "fifth-flight", status: "succeeded" as const };
let found: components["schemas"]["Delivery"] | undefined;
for (const end = Date.now() + 60_000; !found && Date.now() < end; ) {
  const list = await postino.GET("/v1/tenants/{tenant}/deliveries", { params: { path: { tenant }, query: filter } });
  if (!list.data) throw new Error(`list: ${JSON.stringify(list.error)}`);
  found = list.data.data[0];
  if (!found) await new Promise((wait) => setTimeout(wait, 20));
}
if (!found) throw new Error("no delivery");

const one = await postino.GET("/v1/tenants/{tenant}/deliveries/{id}", { params: { path: { tenant, id: found.id } } });
const attempt = one.data?.attempts[0];
if (one.data?.attempts.length !== 1 || attempt?.status_code !== 200 || !one.data.ended_at) {
  throw new Error(`delivery: ${JSON.stringify(one.data ?? one.error)}`);
}
console.log(one.data.id, subscription.secret);
