// From an empty tenant to the callback of the fifth flight, by clicking and typing only.
import { examine, fault, open, picture, play, settled, signIn, told } from "./browser.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

async function publish(page, booking) {
  await page.getByRole("link", { name: "Events", exact: true }).click();
  await button(page, "Publish an event").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Type").fill("flight.booked");
  await dialog.getByLabel("Subject").fill("anna");
  await dialog.getByLabel("Data").fill(`{"booking": "${booking}", "cabin": "economy"}`);
  await button(dialog, "Publish an event").click();
  await page.getByText("One subscription matched.").waitFor();
}

play(async (browser) => {
  const page = await open(browser, { may: [404] }); // an event is stored a moment after its publication
  await signIn(page);
  await page.getByRole("heading", { name: "From nothing to the first callback" }).waitFor();
  await examine(page, "first-run");
  await picture(page, "first-run");

  await page.getByRole("link", { name: "Secrets" }).click();
  await button(page, "Add a secret").click();
  await page.getByRole("dialog").getByLabel("Name").fill("loyalty_token");
  await page.getByRole("dialog").getByLabel("Value", { exact: true }).fill("t0ken-of-loyalty");
  await button(page, "Save").click();
  await page.getByText("loyalty_token").waitFor();

  await page.getByRole("link", { name: "Subscriptions" }).click();
  await page.getByRole("link", { name: "Create a subscription" }).click();
  await button(page, "Use this recipe: Loyalty: ten points on the fifth flight").click();
  await page.getByLabel("Url", { exact: true }).fill(told.receiver + "/users/{{ subject }}/points");
  await page.getByText("POST " + told.receiver).waitFor(); // the preview
  await examine(page, "create-recipe");
  await picture(page, "create-recipe");
  await page.getByRole("tab", { name: "JSON" }).click();
  await page.getByRole("textbox", { name: "JSON", exact: true }).waitFor();
  await examine(page, "create-json");
  await picture(page, "create-json");
  await button(page, "Create and activate").click();
  await page.getByText("only the event number 5 of each subject").waitFor();

  for (const booking of ["B1", "B2", "B3", "B4"]) await publish(page, booking);
  await page.getByText("The trigger counts, and this was not the event that it waits for").waitFor();
  await picture(page, "create-skipped");
  await publish(page, "B5");
  await page.getByText("Delivered by the first attempt").waitFor();
  await picture(page, "create-delivered");

  await page.getByRole("searchbox").fill("anna");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Deliveries about it" }).waitFor();
  await settled(page);
  const happened = page.getByRole("region", { name: "What happened to this subject" });
  if ((await happened.getByRole("link", { name: "flight.booked" }).count()) !== 5) fault("the search does not show anna's five flights");
  if ((await happened.getByText("The trigger counts, and this was not the event that it waits for").count()) !== 4) fault("the search does not say why four flights led to nothing");
});
