// Every screen, in light and dark, wide and at 320 pixels: no barrier, no complaint, and what strangers wrote is text.
import { examine, fault, open, picture, play, settled, signIn, strangers, told, visit } from "./browser.mjs";

const screens = [
  ["overview", ""],
  ["events", "events"],
  ["event", "events/order-0"],
  ["event-skipped", "events/flight-1"],
  ["event-odd", "events/odd"],
  ["deliveries", "deliveries"],
  ["deliveries-none", "deliveries?status=canceled"],
  ["delivery", `deliveries/${told.failed}`],
  ["subscriptions", "subscriptions"],
  ["subscription", "subscriptions/broken"],
  ["subscription-trigger", "subscriptions/fifth-flight"],
  ["search", "search?q=ada"],
  ["search-none", "search?q=nobody"],
  ["jobs", "jobs"],
  ["job", `jobs/${told.job}`],
  ["statistics", "statistics"],
  ["profiles", "profiles"],
  ["profile", "profiles/ada"],
  ["segments", "segments"],
  ["segment", "segments/gold"],
  ["segment-new", "new/segment"],
  ["send", "send?segment=gold"],
  ["campaigns", "campaigns"],
  ["campaign", "campaigns/spring"],
  ["campaign-new", "new/campaign"],
  ["event-types", "event-types"],
  ["event-type", "event-types/order.paid"],
  ["install", "install/study-modes"],
  ["secrets", "secrets"],
  ["keys", "keys"],
  ["portal", "portal"],
  ["tenants", "tenants"],
  ["create", "create"],
  ["edit", "edit/rich"],
  ["nothing", "nowhere"],
];

const sizes = [[1280, "light", ""], [1280, "dark", "-dark"], [320, "light", "-narrow"]];

// openAll opens what is folded, also what comes to light by that.
async function openAll(page) {
  const folded = page.locator("main details:not([open]) > summary:visible");
  for (let n = 0; n < 20 && (await folded.count()) > 0; n++) {
    await folded.first().click();
    await settled(page);
  }
}

play(async (browser) => {
  const page = await open(browser);
  await page.goto(told.url + "/console");
  await examine(page, "sign-in");
  await picture(page, "sign-in");
  await signIn(page);
  for (const [name, path] of screens) {
    if (process.env.POSTINO_SCREENS && !process.env.POSTINO_SCREENS.split(",").includes(name)) continue;
    await visit(page, path).catch((e) => fault(`${name}: ${e}`));
    await openAll(page);
    for (const [width, colorScheme, suffix] of sizes) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await (width < 1280 ? strangers : examine)(page, name + suffix); // what axe finds does not depend on the width
      await picture(page, name + suffix);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
  }
});
