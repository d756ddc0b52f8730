// The abandoned cart from its recipe: whoever orders in time gets nothing, whoever does not gets a reminder.
import { examine, open, picture, play, signIn, told } from "./browser.mjs";
import { addSecret, button, publish } from "./steps.mjs";

play(async (browser) => {
  const page = await open(browser, { may: [404] }); // an event is stored a moment after its publication
  await signIn(page);
  await addSecret(page, "mail_token", "t0ken-of-mail");
  await page.getByRole("link", { name: "Subscriptions" }).click();
  await page.getByRole("link", { name: "Create a subscription" }).click();
  await button(page, "Use this recipe: Abandoned cart: a reminder with a discount").click();
  await page.getByLabel("Url", { exact: true }).fill(told.receiver + "/mail");
  await page.getByLabel("Wait", { exact: true }).fill("6s");
  await page.getByText("and 1 further rules, which the JSON tab shows").waitFor(); // the emptied cart
  await page.getByText("after 6s without another, unless order.placed arrives").waitFor();
  await examine(page, "cart-create");
  await picture(page, "cart-create");
  await button(page, "Create and activate").click();
  await page.getByRole("button", { name: "Pause" }).waitFor();

  const cart = '{"name": "Anna", "items": [{"sku": "cup", "count": 2}], "total": 120.50}';
  await publish(page, "cart.item_added", "ben", cart);
  await page.getByText("Waits for the delay of the trigger").waitFor();
  await picture(page, "cart-waits");
  await publish(page, "order.placed", "ben", '{"order": "1001"}');
  await publish(page, "cart.item_added", "anna", cart);
  await page.getByText("Delivered by the first attempt").waitFor();

  await page.getByRole("searchbox").fill("ben");
  await page.keyboard.press("Enter");
  await page.getByText("Another event canceled it while it waited").waitFor();
  await examine(page, "cart-why");
  await picture(page, "cart-why");
});
