// What every story in the browser shares: the browser, its complaints, axe, and pictures.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

export const told = JSON.parse(process.env.POSTINO_STORY);
const require = createRequire(join(told.packages, "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const faults = [];
export const fault = (text) => faults.push(text);

// play runs a story in a new browser with an empty profile, and exits with what was wrong.
export async function play(story) {
  const browser = await chromium.launch({
    executablePath: told.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    await story(browser);
  } catch (e) {
    fault(String(e.stack ?? e));
    for (const page of browser.contexts().flatMap((c) => c.pages())) await picture(page, "failed-" + basename(process.argv[1], ".mjs")).catch(() => undefined);
  } finally {
    await browser.close();
  }
  for (const f of faults) console.error(f);
  process.exit(faults.length > 0 ? 1 : 0);
}

// open opens a page that notes each complaint of the browser. A status in may is no complaint, until the list is emptied.
export async function open(browser, { language = "en-GB", width = 1280, may = [] } = {}) {
  const context = await browser.newContext({ locale: language, viewport: { width, height: 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(Number(process.env.POSTINO_PATIENCE ?? 60_000));
  page.may = may;
  page.on("pageerror", (e) => fault(`${page.url()}: ${e}`));
  page.on("console", (m) => {
    const allowed = page.may.some((status) => m.text().includes(`status of ${status}`));
    if (m.type() === "error" && !allowed) fault(`${page.url()}: the browser says: ${m.text()}`);
  });
  page.on("requestfailed", (r) => { if (r.failure()?.errorText !== "net::ERR_ABORTED") fault(`${page.url()}: ${r.method()} ${r.url()} failed: ${r.failure()?.errorText}`); });
  page.on("response", async (r) => {
    if (r.status() < 400 || page.may.includes(r.status())) return;
    const at = page.url(), body = await r.text().catch(() => "");
    fault(`${at}: ${r.request().method()} ${r.url()} is answered ${r.status()} ${body.slice(0, 500)} to ${r.request().postData()}`);
  });
  return page;
}

export async function signIn(page, { door = "/console", key = told.key, tenant = told.tenant } = {}) {
  await page.goto(told.url + door);
  await page.getByLabel(/^Key|^Chiave/).fill(key);
  if (tenant) await page.getByLabel(/^Tenant/).fill(tenant);
  await page.getByRole("button", { name: /^(Sign in|Entra)$/ }).click();
  await page.getByRole("navigation").or(page.getByRole("button", { name: "Menu" })).first().waitFor();
}

// visit goes to a page of the console, and waits until it has loaded.
export async function visit(page, path, door = "/console") {
  await page.goto(`${told.url}${door}#/${path}`);
  await settled(page);
}

export async function settled(page) {
  await page.locator("main h1").first().waitFor();
  await page.waitForFunction(() => document.querySelector("main .loading") === null);
}

// examine looks for barriers, and for what strangers finds.
export async function examine(page, name) {
  await page.evaluate(axe);
  await barriers(page, name);
  await strangers(page, name);
}

async function barriers(page, name) {
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  for (const v of violations) fault(`${name}: axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + " " + n.failureSummary?.split("\n")[1]).join(" | ")}`);
}

// strangers finds text of others that became more than text, and what stands beside a narrow screen.
export async function strangers(page, name) {
  const found = await page.evaluate(() => ({
    planted: globalThis.planted,
    made: document.querySelectorAll("#app img, #app script, #app iframe").length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    by: [...document.querySelectorAll("#app *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth).slice(0, 3).map((e) => e.outerHTML.slice(0, 120)),
  }));
  if (found.planted !== undefined || found.made > 0) fault(`${name}: text of strangers became more than text: ${JSON.stringify(found)}`);
  if (found.wide > 0) fault(`${name}: ${found.wide} pixels stand beside the screen: ${found.by.join(" | ")}`);
}

export async function picture(page, name) {
  if (told.screenshots) await page.screenshot({ path: join(told.screenshots, name + ".png"), fullPage: true });
}
