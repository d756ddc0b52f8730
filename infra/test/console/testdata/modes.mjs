// The seven study modes from their recipe, all at once; each mode calls once for each user.
import { examine, open, picture, play, signIn, told } from "./browser.mjs";
import { button, publish } from "./steps.mjs";

play(async (browser) => {
  const page = await open(browser, { may: [404] });
  await signIn(page);
  await page.getByRole("link", { name: "Create a subscription" }).first().click();
  await button(page, "Use this recipe: Seven study modes, once per user each").click();
  await page.getByLabel("Instead of https://rest.iad-01.braze.com").fill(told.receiver);
  await page.getByLabel("Secret braze_key").fill("k3y-of-braze");
  await examine(page, "modes");
  await picture(page, "modes");
  await button(page, "Create and activate 7").click();
  await page.getByRole("table", { name: "Subscriptions" }).getByRole("link", { name: "First use of gravity" }).waitFor();
  for (const mode of ["flashcards", "learn", "flashcards"]) {
    await publish(page, "study.started", "anna", `{"mode": "${mode}", "logged_in": true}`);
    await page.getByText(/Delivered by the first attempt|It fires only once for this key, and had fired/).waitFor();
  }
});
