import { Postino } from "@postino/sdk";
import { receive } from "@postino/sdk/testing";

const client = new Postino({ url: process.env["POSTINO_URL"]!, key: process.env["POSTINO_KEY"]!, tenant: "acme" });
const hook = await receive();

await client.subscriptions.create({
  id: "fifth-flight",
  url: `${hook.url}/points`,
  types: ["flight.booked"],
  filter: { data: { cabin: [{ "anything-but": "award" }] } },
  trigger: { key: "subject", at: 5, distinct: "data.booking" },
  request: { body: { user: "{{ subject }}", points: 10, reason: "flight {{ occasion.count }}, to {{ data.to }}" } },
});
await client.publish(
  ["B1", "B2", "B3", "B3", "B4", "B5", "B6"].map((booking) => ({
    type: "flight.booked",
    subject: "bob",
    data: { booking, cabin: "economy", to: "LIS" },
  })),
);
const [callback] = await hook.wait(1);
console.log(callback?.path, callback?.body.toString());
await hook.close();
