// A segment's postcards: profiles, a segment, a subscription for sends, and a send that is counted before it starts.
import { examine, open, picture, play, signIn, told } from "./browser.mjs";
import { addProfile, body, button, condition } from "./steps.mjs";

play(async (browser) => {
  const page = await open(browser);
  await signIn(page);
  await addProfile(page, "anna", [["plan", "gold"], ["name", "Anna"], ["city", "Rome"]]);
  await addProfile(page, "ben", [["plan", "free"], ["name", "Ben"]]);
  await addProfile(page, "carla", [["plan", "gold"], ["name", "Carla"], ["city", "Oslo"]]);

  await page.getByRole("link", { name: "Segments" }).click();
  await page.getByRole("link", { name: "Create a segment" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Gold customers");
  await page.getByLabel("Id", { exact: true }).fill("gold");
  await condition(page, 1, "profile.plan", "is one of", "gold");
  await examine(page, "postcards-segment");
  await button(page, "Save").click();
  await page.getByRole("table", { name: "In it now" }).getByRole("link", { name: "carla" }).waitFor();
  await picture(page, "postcards-segment");

  await page.getByRole("link", { name: "Subscriptions" }).click();
  await page.getByRole("link", { name: "Create a subscription" }).click();
  await button(page, "Begin blank").click();
  await page.getByLabel("Id", { exact: true }).fill("postcard");
  await page.getByLabel("Sends to a group (postino.send)").check();
  await page.getByLabel("Url", { exact: true }).fill(told.receiver + "/postcards");
  await body(page, '{"to": "{{ profile.name }}, {{ profile.city }}", "card": "{{ data.data.card }}"}');
  await button(page, "Create and activate").click();
  await page.getByRole("button", { name: "Pause" }).waitFor();

  await page.getByRole("link", { name: "Segments" }).click();
  await page.getByRole("link", { name: "Gold customers" }).click();
  await page.getByRole("main").getByRole("link", { name: "Send to a group" }).click();
  await page.getByLabel("Data").fill('{"card": "spring"}');
  await button(page, "Count the people").click();
  await button(page, "Send to 2 now").waitFor();
  await examine(page, "postcards-send");
  await picture(page, "postcards-send");
  await button(page, "Send to 2 now").click();
  await page.getByText("2 of 2 sent, 0 skipped.").waitFor();
  await picture(page, "postcards-sent");
});
