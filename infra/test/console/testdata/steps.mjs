// What people do in several stories.
export const button = (page, name) => page.getByRole("button", { name, exact: true });

// publish publishes an event by the form, and waits until its page shows it.
export async function publish(page, type, subject, data) {
  await page.getByRole("link", { name: "Events", exact: true }).click();
  await button(page, "Publish an event").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Type").fill(type);
  await dialog.getByLabel("Subject").fill(subject);
  await dialog.getByLabel("Data").fill(data);
  await button(dialog, "Publish an event").click();
  await page.getByRole("heading", { name: "What became of it" }).waitFor();
}

export async function addSecret(page, name, value) {
  await page.getByRole("link", { name: "Secrets" }).click();
  await button(page, "Add a secret").click();
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("dialog").getByLabel("Value", { exact: true }).fill(value);
  await button(page, "Save").click();
  await page.getByText(name).waitFor();
}

// addProfile writes what is known of somebody, a line for each attribute.
export async function addProfile(page, subject, attributes) {
  await page.getByRole("link", { name: "Profiles" }).click();
  await button(page, "Add a profile").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Subject").fill(subject);
  await attribute(dialog, 1, attributes[0]);
  for (const [i, a] of attributes.slice(1).entries()) {
    await button(dialog, "Add an attribute").click();
    await attribute(dialog, i + 2, a);
  }
  await button(dialog, "Save").click();
  await page.getByRole("heading", { name: subject }).waitFor();
}

export async function attribute(form, n, [name, value]) {
  const line = form.getByRole("group", { name: `Attribute ${n}` });
  await line.getByLabel("Attribute", { exact: true }).fill(name);
  await line.getByLabel("Value", { exact: true }).fill(value);
}

// condition adds a condition to a form.
export async function condition(page, n, field, op, value) {
  await button(page, "Add a condition").click();
  const line = page.getByRole("group", { name: `Condition ${n}` });
  await line.getByLabel("Field").fill(field);
  await line.getByLabel("Comparison").selectOption(op);
  await line.getByLabel("Value").fill(value);
}

export async function body(page, text) {
  await page.getByRole("combobox", { name: "Body", exact: true }).selectOption("My own");
  await page.getByRole("textbox", { name: "Body" }).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}
