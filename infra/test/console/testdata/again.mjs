// A key that is revoked while somebody writes: one signs in again, and what was written is still there.
import { examine, fault, open, picture, play, signIn, told, visit } from "./browser.mjs";

const api = async (method, path, body) => {
  const answer = await fetch(`${told.url}/v1/tenants/${told.tenant}${path}`, { method, headers: { authorization: `Bearer ${told.key}`, "content-type": "application/json" }, body });
  return answer.status === 204 ? undefined : answer.json();
};

play(async (browser) => {
  const first = await api("POST", "/keys", '{"role":"manage"}');
  const second = await api("POST", "/keys", '{"role":"manage"}');
  const page = await open(browser);
  await signIn(page, { key: first.key, tenant: "" });
  await visit(page, "edit/orders");
  await page.getByLabel("Name", { exact: true }).fill("what somebody wrote");
  page.may = [401];
  await api("DELETE", `/keys/${first.id}`);
  await page.getByRole("button", { name: "Save" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await dialog.waitFor();
  await examine(page, "sign-in-again");
  await picture(page, "sign-in-again");
  await dialog.getByLabel("Key", { exact: true }).fill(first.key);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await dialog.getByRole("alert").waitFor(); // it is still refused
  await dialog.getByLabel("Key", { exact: true }).fill(second.key);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await dialog.waitFor({ state: "detached" });
  page.may = [];
  if ((await page.getByLabel("Name", { exact: true }).inputValue()) !== "what somebody wrote") fault("what was written is gone");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: /what somebody wrote/ }).waitFor();
});
