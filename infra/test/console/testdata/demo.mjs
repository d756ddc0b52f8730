// The address that the demo prints: it shows the demo's callbacks, and keeps no key.
import { examine, fault, open, picture, play, settled, told } from "./browser.mjs";

play(async (browser) => {
  const page = await open(browser);
  await page.goto(told.address);
  await settled(page);
  for (const name of ["third-flight", "orders", "audit", "crm"]) await page.getByRole("link", { name, exact: true }).first().waitFor();
  if (page.url().includes("key=")) fault(`the key stays in the address ${page.url()}`);
  const kept = await page.evaluate(() => JSON.stringify(localStorage) + document.cookie);
  if (kept.includes("pk_")) fault(`the key is kept beyond the tab: ${kept}`);
  await examine(page, "demo");
  await picture(page, "demo");
});
