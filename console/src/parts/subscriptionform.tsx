import { useState } from "preact/hooks";
import { get, tenantPath } from "../api/client";
import type { Campaign, Event, List, Subscription } from "../api/types";
import { portal } from "../session";
import { t } from "../words";
import { Field } from "./basics";
import { Filter } from "./conditions";
import { Editor } from "./editor";
import { useLoaded } from "./hooks";
import { Picker } from "./lately";
import { TriggerForm } from "./triggerform";

export type Draft = Partial<Subscription> & Record<string, unknown>;

const sendType = "postino.send"; // of the events of a send to a group

type Props = { draft: Draft; fields: string[]; events: Event[]; saved: boolean; change: (d: Draft) => void };

const list = (text: string) => text.split(",").map((s) => s.trim()).filter((s) => s !== "");

export function Form({ draft, fields, events, saved, change }: Props) {
  // What is empty is left out, so that the API's defaults hold.
  const set = (part: Record<string, unknown>) => change(Object.fromEntries(Object.entries({ ...draft, ...part }).filter(([, v]) => v !== undefined)) as Draft);
  const types = draft.types ?? [];
  return (
    <form class="build" onSubmit={(e) => e.preventDefault()}>
      <fieldset>
        <legend>{t("form.who")}</legend>
        <Field label={t("col.name")}><input maxLength={128} value={draft.name ?? ""} onInput={(e) => set({ name: e.currentTarget.value || undefined })} /></Field>
        {!saved && <Field label={t("col.id")} hint={t("form.id.hint")}><input pattern="[a-z0-9_\-]{1,64}" value={draft.id ?? ""} onInput={(e) => set({ id: e.currentTarget.value.trim() || undefined })} /></Field>}
      </fieldset>
      <fieldset>
        <legend>{t("form.if")}</legend>
        <Picker events={events} types={types} change={(x) => set({ types: x.length > 0 ? x : undefined })} />
        {!portal && <label class="check"><input type="checkbox" checked={types.includes(sendType)} onChange={(e) => { const x = e.currentTarget.checked ? [...types, sendType] : types.filter((y) => y !== sendType); set({ types: x.length > 0 ? x : undefined }); }} />{t("form.sends")}</label>}
        <Field label={t("form.types")} hint={t("form.types.hint")}><input value={types.join(", ")} onChange={(e) => { const x = list(e.currentTarget.value); set({ types: x.length > 0 ? x : undefined }); }} /></Field>
        <Filter filter={draft.filter} fields={fields} change={(filter) => set({ filter })} />
      </fieldset>
      <fieldset>
        <legend>{t("form.when")}</legend>
        <TriggerForm trigger={draft.trigger ?? null} change={(trigger) => set({ trigger: trigger ?? undefined })} />
        {!portal && <Campaigns chosen={draft.campaign ?? ""} change={(campaign) => set({ campaign: campaign || undefined })} />}
      </fieldset>
      <fieldset>
        <legend>{t("form.then")}</legend>
        <Field label={t("col.url")} hint={t("form.url.hint")}><input type="text" inputMode="url" required value={draft.url ?? ""} onInput={(e) => set({ url: e.currentTarget.value })} /></Field>
        <Body draft={draft} set={set} />
      </fieldset>
    </form>
  );
}

// Campaigns offers those that there are.
function Campaigns({ chosen, change }: { chosen: string; change: (id: string) => void }) {
  const all = useLoaded(() => get<List<Campaign>>(tenantPath("campaigns")), []);
  if (!all.data || all.data.data.length === 0) return null;
  return (
    <Field label={t("campaign.part")}>
      <select value={chosen} onChange={(e) => change(e.currentTarget.value)}>
        <option value="">{t("campaign.none")}</option>
        {all.data.data.map((c) => <option key={c.id} value={c.id}>{c.name || c.id}</option>)}
      </select>
    </Field>
  );
}

type Part = { draft: Draft; set: (part: Record<string, unknown>) => void };

function Body({ draft, set }: Part) {
  const request = draft.request ?? {};
  const own = request.body !== undefined && request.body !== null;
  const [text, setText] = useState(own ? JSON.stringify(request.body, null, 2) : "");
  const [fault, setFault] = useState("");
  const choose = (kind: string) => {
    const { body: _, format: __, ...rest } = request;
    const body = { event: "{{ event.type }}", user: "{{ subject }}" };
    if (kind === "own") setText(JSON.stringify(body, null, 2));
    set({ request: kind === "own" ? { ...rest, body } : { ...rest, format: kind } });
  };
  const write = (next: string) => {
    setText(next);
    try {
      set({ request: { ...request, body: JSON.parse(next) as unknown } });
      setFault("");
    } catch (e) {
      setFault(String(e));
    }
  };
  return (
    <>
      <div class="filters">
        <Field label={t("form.method")}><select value={request.method ?? "POST"} onChange={(e) => set({ request: { ...request, method: e.currentTarget.value } })}>{["POST", "PUT", "PATCH", "DELETE"].map((m) => <option key={m}>{m}</option>)}</select></Field>
        <Field label={t("body")}>
          <select value={own ? "own" : request.format ?? "standard"} onChange={(e) => choose(e.currentTarget.value)}>
            <option value="standard">{t("form.body.standard")}</option><option value="cloudevents">CloudEvents</option><option value="own">{t("form.body.own")}</option>
          </select>
        </Field>
      </div>
      {own && <><p id="body-hint"><small>{t("form.body.hint")}</small></p><Editor value={text} label={t("body")} change={write} /></>}
      {fault && <p class="trouble" role="alert">{t("create.invalid")}</p>}
    </>
  );
}
