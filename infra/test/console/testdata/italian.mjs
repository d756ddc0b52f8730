// A browser that speaks Italian sees the console in Italian; one can choose another language.
import { examine, fault, open, picture, play, signIn, visit } from "./browser.mjs";

play(async (browser) => {
  const page = await open(browser, { language: "it-IT" });
  await signIn(page);
  await page.getByRole("heading", { name: "Panoramica" }).waitFor();
  if ((await page.locator("html").getAttribute("lang")) !== "it") fault("the page does not say that it is in Italian");
  for (const [name, path, heading] of [["overview", "", "Le ultime 24 ore"], ["event", "events/order-0", "Che cosa ne è stato"], ["create", "create", "Comincia da una ricetta"], ["edit", "edit/rich", "Anteprima"]]) {
    await visit(page, path);
    await page.getByRole("heading", { name: heading }).waitFor();
    await examine(page, "italian-" + name);
    await picture(page, "italian-" + name);
  }
  await page.getByLabel("Lingua").selectOption("English");
  await page.getByRole("heading", { name: "Edit rich" }).waitFor();
});
