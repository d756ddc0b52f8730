import type { Subscription, Trigger } from "../api/types";
import { t } from "../words";

// Cancel is a clause of a trigger that ends its delay.
export type Cancel = { types?: string[] | null };

// Until is a delay that ends at a time that the event names, or so long before.
type Until = { until: string; before?: string | null };

const until = (d: Until) => (d.before ? t("trigger.delay.before", { time: d.before, path: d.until }) : t("trigger.delay.until", { path: d.until }));

// phrases says in words when a trigger fires, one idea each.
export function phrases(trigger: Trigger): string[] {
  const said: string[] = [];
  const key = Array.isArray(trigger.key) ? trigger.key.map(String).join(", ") : String(trigger.key ?? "subject");
  if (trigger.at) said.push(t("trigger.at", { n: trigger.at, key }));
  if (trigger.every) said.push(t("trigger.every", { n: trigger.every, key }));
  if (trigger.distinct) said.push(t("trigger.distinct", { path: trigger.distinct }));
  if (trigger.within) said.push(t("trigger.within", { time: trigger.within }));
  if (typeof trigger.delay === "string") said.push(t(trigger.on_repeat === "keep" ? "trigger.delay.keep" : "trigger.delay", { time: trigger.delay }));
  else if (trigger.delay) said.push(until(trigger.delay as Until));
  for (const c of (trigger.cancel ?? []) as Cancel[]) said.push(t("trigger.cancel", { types: (c.types ?? ["*"]).join(", ") }));
  if (trigger.once) said.push(t("trigger.once", { key }));
  if (trigger.once_per) said.push(t("trigger.once_per", { time: trigger.once_per, key }));
  if (trigger.cap) said.push(t("trigger.cap", { n: trigger.cap.max, time: trigger.cap.per }));
  return said;
}

// sentenceOf says what a subscription does.
export function sentenceOf(s: Pick<Subscription, "types" | "filter" | "trigger" | "url">): string {
  const types = s.types ? s.types.join(", ") : t("sentence.any");
  const parts = [t("sentence.when", { types })];
  if (s.filter) parts.push(t("sentence.filter"));
  if (s.trigger) parts.push(...phrases(s.trigger));
  return parts.join(", ") + ": " + (s.url === null ? t("sentence.emit") : t("sentence.then", { url: s.url }));
}
