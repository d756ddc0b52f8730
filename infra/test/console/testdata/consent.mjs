// Consent: a campaign for those who gave it. Whoever has not gets nothing, and the page says why.
import { examine, open, picture, play, signIn, told } from "./browser.mjs";
import { addProfile, attribute, button, condition, publish } from "./steps.mjs";

play(async (browser) => {
  const page = await open(browser, { may: [404] });
  await signIn(page);
  await addProfile(page, "anna", [["consent", "true"]]);
  await addProfile(page, "ben", [["consent", "false"]]);

  await page.getByRole("link", { name: "Campaigns" }).click();
  await page.getByRole("link", { name: "Create a campaign" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Welcome");
  await page.getByLabel("Id", { exact: true }).fill("welcome");
  await page.getByRole("combobox", { name: "State", exact: true }).selectOption("Live");
  await condition(page, 1, "profile.consent", "is one of", "true");
  await page.getByLabel("Most in the period").fill("2");
  await examine(page, "consent-campaign");
  await picture(page, "consent-campaign");
  await button(page, "Save").click();
  await page.getByRole("heading", { name: "Results" }).waitFor();

  await page.getByRole("link", { name: "Subscriptions" }).click();
  await page.getByRole("link", { name: "Create a subscription" }).click();
  await button(page, "Begin blank").click();
  await page.getByLabel("Id", { exact: true }).fill("welcome-mail");
  await page.getByLabel("Event types").fill("user.signed_up");
  await page.keyboard.press("Tab");
  await page.getByRole("combobox", { name: "Part of the campaign" }).selectOption("Welcome");
  await page.getByLabel("Url", { exact: true }).fill(told.receiver + "/welcome");
  await button(page, "Create and activate").click();
  await page.getByRole("button", { name: "Pause" }).waitFor();

  await publish(page, "user.signed_up", "anna", "{}");
  await page.getByText("Delivered by the first attempt").waitFor();
  await publish(page, "user.signed_up", "ben", "{}");
  await page.getByText("The campaign is not for this subject").waitFor();
  await picture(page, "consent-why");

  await page.getByRole("link", { name: "Profiles" }).click();
  await page.getByRole("link", { name: "ben" }).click();
  await button(page, "Edit").click();
  await attribute(page, 1, ["consent", "true"]);
  await button(page, "Save").click();
  await button(page, "Edit").waitFor();
  await publish(page, "user.signed_up", "ben", "{}");
  await page.getByText("Delivered by the first attempt").waitFor();
});
