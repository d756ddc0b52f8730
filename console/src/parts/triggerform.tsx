import type { Trigger } from "../api/types";
import { t } from "../words";
import { Field } from "./basics";
import { type Cancel, phrases } from "./sentence";

type Props = { trigger: Trigger | null; change: (trigger: Trigger | null) => void };

// without removes what is empty, and the whole trigger if nothing is left.
function cleaned(trigger: Record<string, unknown>): Trigger | null {
  const kept = Object.entries(trigger).filter(([, v]) => v !== undefined && v !== null && v !== "" && v !== false);
  if (kept.every(([name]) => name === "key")) return null;
  return Object.fromEntries(kept) as Trigger;
}

const list = (text: string) => text.split(",").map((s) => s.trim()).filter((s) => s !== "");

// TriggerForm says when an event leads to a callback, as a sentence whose blanks are filled in.
export function TriggerForm({ trigger, change }: Props) {
  const now: Trigger = trigger ?? {};
  const set = (part: Record<string, unknown>) => change(cleaned({ key: "subject", ...now, ...part }));
  const count = now.at ? "at" : now.every ? "every" : "each";
  const number = now.at ?? now.every ?? 5;
  const counting = count !== "each";
  const cancel = ((now.cancel ?? []) as Cancel[]).flatMap((c) => c.types ?? []).join(", ");
  return (
    <div class="trigger">
      <div class="filters">
        <Field label={t("trigger.form.when")}>
          <select value={count} onChange={(e) => { const v = e.currentTarget.value; set({ at: v === "at" ? number : undefined, every: v === "every" ? number : undefined, ...(v === "each" ? { distinct: undefined, within: undefined } : {}) }); }}>
            <option value="each">{t("trigger.form.each")}</option><option value="at">{t("trigger.form.at")}</option><option value="every">{t("trigger.form.every")}</option>
          </select>
        </Field>
        {counting && <Field label="n"><input type="number" min={1} value={number} onChange={(e) => set({ [count]: Number(e.currentTarget.value) || 1 })} /></Field>}
        {counting && <Field label={t("trigger.form.distinct")}><input list="fields" placeholder="data.booking" value={now.distinct ?? ""} onInput={(e) => set({ distinct: e.currentTarget.value.trim() })} /></Field>}
        {counting && <Field label={t("trigger.form.within")}><input placeholder="30d" value={now.within ?? ""} onInput={(e) => set({ within: e.currentTarget.value.trim() })} /></Field>}
      </div>
      <div class="filters">
        <Field label={t("trigger.form.delay")}><input placeholder="1h" value={now.delay ?? ""} onInput={(e) => { const v = e.currentTarget.value.trim(); set({ delay: v, ...(v === "" ? { cancel: undefined, on_repeat: undefined, on_change: undefined } : {}) }); }} /></Field>
        {now.delay && <Field label={t("trigger.form.cancel")}><input placeholder="order.placed" value={cancel} onChange={(e) => { const types = list(e.currentTarget.value); set({ cancel: types.length > 0 ? [{ types }] : undefined }); }} /></Field>}
        <Field label={t("trigger.form.once")}>
          <select value={now.once ? "ever" : now.once_per ? "per" : ""} onChange={(e) => { const v = e.currentTarget.value; set({ once: v === "ever", once_per: v === "per" ? "30d" : undefined }); }}>
            <option value="">{t("trigger.form.often")}</option><option value="ever">{t("trigger.form.ever")}</option><option value="per">{t("trigger.form.per")}</option>
          </select>
        </Field>
        {now.once_per && <Field label={t("trigger.form.period")}><input value={now.once_per} onInput={(e) => set({ once_per: e.currentTarget.value.trim() })} /></Field>}
      </div>
      {trigger && <p class="lead">{phrases(trigger).join(", ")}.</p>}
    </div>
  );
}
