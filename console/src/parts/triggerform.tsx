import type { Trigger } from "../api/types";
import { t } from "../words";
import { type Cancel, phrases } from "./sentence";

type Props = { trigger: Trigger | null; change: (trigger: Trigger | null) => void };

// cleaned removes what is empty, and the whole trigger if nothing is left.
function cleaned(trigger: Record<string, unknown>): Trigger | null {
  const kept = Object.entries(trigger).filter(([, v]) => v !== undefined && v !== null && v !== "" && v !== false);
  if (kept.every(([name]) => name === "key")) return null;
  return Object.fromEntries(kept) as Trigger;
}

const list = (text: string) => text.split(",").map((s) => s.trim()).filter((s) => s !== "");

type Blank = { now: Trigger; set: (part: Record<string, unknown>) => void };

// TriggerForm says when an event leads to a callback, as a sentence whose blanks are filled in.
export function TriggerForm({ trigger, change }: Props) {
  const now: Trigger = trigger ?? {};
  const set = (part: Record<string, unknown>) => change(cleaned({ key: "subject", ...now, ...part }));
  return (
    <div class="trigger">
      <p class="blanks"><Which now={now} set={set} /></p>
      <p class="blanks"><Wait now={now} set={set} /></p>
      <p class="blanks"><Often now={now} set={set} /></p>
      {trigger && <p class="said" role="status">{phrases(trigger).join(", ")}.</p>}
    </div>
  );
}

function Which({ now, set }: Blank) {
  const count = now.at ? "at" : now.every ? "every" : "each";
  const number = now.at ?? now.every ?? 5;
  const choose = (v: string) => set({ at: v === "at" ? number : undefined, every: v === "every" ? number : undefined, ...(v === "each" ? { distinct: undefined, within: undefined } : {}) });
  return (
    <>
      {t("blank.call")}
      <select aria-label={t("trigger.form.when")} value={count} onChange={(e) => choose(e.currentTarget.value)}>
        <option value="each">{t("trigger.form.each")}</option><option value="at">{t("trigger.form.at")}</option><option value="every">{t("trigger.form.every")}</option>
      </select>
      {count !== "each" && (
        <>
          <label class="blank">{t("blank.number")}<input type="number" aria-label="n" min={1} value={number} onChange={(e) => set({ [count]: Number(e.currentTarget.value) || 1 })} /></label>
          <label class="blank">{t("blank.distinct")}<input class="middle" aria-label={t("trigger.form.distinct")} list="fields" placeholder="data.booking" value={now.distinct ?? ""} onInput={(e) => set({ distinct: e.currentTarget.value.trim() })} /></label>
          <label class="blank">{t("blank.within")}<input class="brief" aria-label={t("trigger.form.within")} placeholder="30d" value={now.within ?? ""} onInput={(e) => set({ within: e.currentTarget.value.trim() })} /></label>
        </>
      )}
    </>
  );
}

function Wait({ now, set }: Blank) {
  const clauses = (now.cancel ?? []) as (Cancel & Record<string, unknown>)[];
  const plain = clauses.filter((c) => Object.keys(c).every((name) => name === "types")).flatMap((c) => c.types ?? []);
  const further = clauses.filter((c) => Object.keys(c).some((name) => name !== "types"));
  const cancel = (types: string[]) => {
    const all = [...(types.length > 0 ? [{ types }] : []), ...further];
    set({ cancel: all.length > 0 ? all : undefined });
  };
  if (now.delay && typeof now.delay !== "string") return <small>{t("blank.until")}</small>;
  return (
    <>
      <label class="blank">{t("blank.wait")}<input class="brief" aria-label={t("trigger.form.delay")} placeholder="1h" value={typeof now.delay === "string" ? now.delay : ""} onInput={(e) => { const v = e.currentTarget.value.trim(); set({ delay: v, ...(v === "" ? { cancel: undefined, on_repeat: undefined, on_change: undefined } : {}) }); }} /></label>
      {now.delay && (
        <>
          {t("blank.from")}
          <select aria-label={t("trigger.form.repeat")} value={now.on_repeat ?? "restart"} onChange={(e) => set({ on_repeat: e.currentTarget.value === "keep" ? "keep" : undefined })}>
            <option value="restart">{t("blank.last")}</option><option value="keep">{t("blank.first")}</option>
          </select>
          <label class="blank">{t("blank.unless")}<input class="middle" aria-label={t("trigger.form.cancel")} placeholder="order.placed" value={plain.join(", ")} onChange={(e) => cancel(list(e.currentTarget.value))} /></label>
          {t("blank.arrives")}
          {further.length > 0 && <small> {t("blank.further", { n: further.length })}</small>}
        </>
      )}
    </>
  );
}

function Often({ now, set }: Blank) {
  const kind = now.once ? "ever" : now.once_per ? "per" : now.cap ? "cap" : "";
  const choose = (v: string) => set({ once: v === "ever", once_per: v === "per" ? "30d" : undefined, cap: v === "cap" ? { max: 2, per: "7d" } : undefined });
  return (
    <>
      {t("blank.often")}
      <select aria-label={t("trigger.form.once")} value={kind} onChange={(e) => choose(e.currentTarget.value)}>
        <option value="">{t("trigger.form.often")}</option><option value="ever">{t("trigger.form.ever")}</option><option value="per">{t("trigger.form.per")}</option><option value="cap">{t("trigger.form.cap")}</option>
      </select>
      {now.once_per && <input class="brief" aria-label={t("trigger.form.period")} value={now.once_per} onInput={(e) => set({ once_per: e.currentTarget.value.trim() })} />}
      {now.cap && (
        <>
          <input type="number" min={1} aria-label={t("trigger.form.max")} value={now.cap.max} onChange={(e) => set({ cap: { ...now.cap, max: Number(e.currentTarget.value) || 1 } })} />
          <label class="blank">{t("blank.per")}<input class="brief" aria-label={t("trigger.form.period")} value={now.cap.per} onInput={(e) => set({ cap: { ...now.cap, per: e.currentTarget.value.trim() } })} /></label>
        </>
      )}
    </>
  );
}
