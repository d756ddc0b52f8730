// A customer with a portal key: adds an endpoint, sees its secret, rotates it, tests it, mends it, and recovers what failed.
import { examine, open, picture, play, signIn, told } from "./browser.mjs";

const api = async (path, body) => (await fetch(`${told.url}/v1/tenants/${told.tenant}${path}`, { method: "POST", headers: { authorization: `Bearer ${told.key}`, "content-type": "application/json" }, body })).json();
const button = (page, name) => page.getByRole("button", { name, exact: true });

play(async (browser) => {
  const { key } = await api("/keys", '{"role":"portal"}');
  const page = await open(browser);
  await signIn(page, { door: "/portal", key, tenant: "" });
  await examine(page, "portal-first");
  await picture(page, "portal-first");
  await page.getByRole("link", { name: "Create a subscription" }).first().click();
  await page.getByLabel("Id", { exact: true }).fill("mine");
  await page.getByLabel("Event types").fill("order.*");
  await page.keyboard.press("Tab");
  await page.getByLabel("Url", { exact: true }).fill(told.receiver + "/broken/hooks");
  await page.getByRole("tab", { name: "JSON" }).click();
  await page.getByRole("textbox", { name: "JSON", exact: true }).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Backspace");
  await page.keyboard.insertText(',"retry":{"schedule":[]}}');
  await button(page, "Create and activate").click();

  await button(page, "Show the secret").click();
  await page.getByText(/^whsec_/).waitFor();
  await button(page, "Rotate the secret").click();
  await button(page.getByRole("dialog"), "Rotate the secret").click();
  await page.getByText("An older secret also signs until").waitFor();

  await api("/events", '{"type":"order.paid","subject":"ada","data":{"amount":12.50}}');
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await page.getByRole("checkbox", { name: "Live" }).check();
  await page.getByRole("link", { name: "The only attempt failed" }).click();
  await page.getByText("503").first().waitFor();
  await examine(page, "portal-delivery");
  await picture(page, "portal-delivery");

  await page.getByRole("link", { name: "mine", exact: true }).first().click();
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Url", { exact: true }).fill(told.receiver + "/hooks");
  await button(page, "Save").click();
  await page.getByText("Send a test").click();
  await button(page, "Send the test now").click();
  await page.getByRole("heading", { name: "Attempt 1" }).waitFor();
  await button(page, "Count them").click();
  await button(page, "Send 1 again").click();
  await page.getByText("1 of 1 sent, 0 skipped.").waitFor();
  await examine(page, "portal-recovered");
  await picture(page, "portal-recovered");
});
