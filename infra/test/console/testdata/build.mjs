// A subscription from a blank form: types from what arrived, conditions, a trigger, a body.
import { examine, open, picture, play, signIn, told } from "./browser.mjs";

play(async (browser) => {
  const page = await open(browser);
  await signIn(page);
  await page.getByRole("link", { name: "Create a subscription" }).first().click();
  await page.getByRole("button", { name: "Begin blank" }).click();
  await page.getByLabel("Id", { exact: true }).fill("reminder");
  await page.getByRole("button", { name: /^cart\.changed/ }).click();
  await page.getByLabel("Url", { exact: true }).fill(told.receiver + "/reminder");
  const add = page.getByRole("button", { name: "Add a condition" });
  for (const [n, field, op, value] of [[1, "data.total", "is more than", "100"], [2, "data.tier", "is one of", "gold, silver"]]) {
    await add.click();
    const line = page.getByRole("group", { name: `Condition ${n}` });
    await line.getByLabel("Field").fill(field);
    await line.getByLabel("Comparison").selectOption(op);
    await line.getByLabel("Value").fill(value);
  }
  await page.getByLabel("Wait").fill("1h");
  await page.getByRole("combobox", { name: "How often" }).selectOption("once per period");
  await page.getByLabel("Unless one of these arrives").fill("order.placed");
  await page.keyboard.press("Tab");
  await page.getByRole("combobox", { name: "Body", exact: true }).selectOption("My own");
  await page.getByRole("textbox", { name: "Body" }).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText('{"user": "{{ subject }}"}');
  await page.getByText("after 1h without another, unless order.placed arrives, at most once in 30d for each subject.").waitFor();
  await page.getByText('"user": "ben"').waitFor(); // the preview, of the event that arrived
  await examine(page, "build");
  await picture(page, "build");
  await page.getByRole("button", { name: "Create paused" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor();
});
