// Why somebody got nothing: the page of each event says so in words.
import { examine, fault, open, picture, play, settled, signIn, told, visit } from "./browser.mjs";

play(async (browser) => {
  const page = await open(browser);
  await signIn(page);
  for (const { event, type, subscription, asks, answers } of told.asked) {
    await visit(page, "events/" + event);
    await page.getByRole("heading", { level: 1, name: type, exact: true }).waitFor();
    const became = page.getByRole("region", { name: "What became of it" });
    await became.waitFor();
    await settled(page);
    if (asks) await became.getByRole("combobox").selectOption(subscription); // one that the event does not name
    await became.getByText(answers).first().waitFor({ timeout: 10_000 }).catch(async () => fault(`${event}: the page does not say ${JSON.stringify(answers)}, but ${await became.innerText()}`));
  }
  await examine(page, "why");
  await visit(page, "search?q=ada");
  await page.getByRole("heading", { name: "What happened to this subject" }).waitFor();
  await examine(page, "why-timeline");
  await picture(page, "why-timeline");
});
