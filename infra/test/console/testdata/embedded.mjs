// The portal within a page of a product, made by clicking; a page that nobody listed shows nothing.
import { examine, fault, open, picture, play, signIn, told } from "./browser.mjs";
import { button } from "./steps.mjs";

play(async (browser) => {
  const page = await open(browser);
  await signIn(page);
  await page.getByRole("link", { name: "Customer portal" }).click();
  await page.getByLabel("Origins").fill(told.listed + "/");
  await button(page, "Save").click();
  await page.getByText("Saved").waitFor();
  await button(page, "Make a link").click();
  const link = await page.locator("code.secret").innerText();
  if (!link.startsWith(`${told.url}/portal/${told.tenant}#key=pk_`)) fault(`the link is ${link}`);
  await examine(page, "portal-page");
  await picture(page, "portal-page");

  const product = await open(browser);
  await product.goto(`${told.listed}/?link=${encodeURIComponent(link)}`);
  const inside = product.frameLocator("postino-portal iframe");
  await inside.getByRole("heading", { name: "Overview" }).waitFor();
  await inside.getByRole("link", { name: "Subscriptions", exact: true }).click();
  await inside.getByRole("link", { name: "Orders to the shop" }).waitFor();
  const theme = await product.frames()[1].evaluate(() => document.documentElement.dataset.theme);
  if (theme !== "dark") fault(`the theme within the page is ${JSON.stringify(theme)}, want dark, as the element says`);
  if (product.frames()[1].url().includes("pk_")) fault("the key stays in the address of the frame");
  await picture(product, "portal-embedded");

  const stranger = await (await browser.newContext()).newPage();
  const refused = stranger.waitForEvent("console", (m) => /frame-ancestors|Refused to frame|Framing/.test(m.text()));
  await stranger.goto(`${told.stranger}/?link=${encodeURIComponent(link)}`);
  await refused;
  const shown = await stranger.frameLocator("postino-portal iframe").getByRole("heading", { name: "Overview" }).count();
  if (shown > 0) fault("a page of an origin that nobody listed shows the portal");
});
