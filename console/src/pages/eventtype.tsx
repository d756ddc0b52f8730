import { useState } from "preact/hooks";
import { call, callText, tenantPath } from "../api/client";
import { member, pretty } from "../api/json";
import type { RegisteredEventType } from "../api/types";
import { Field, Heading, Loading, Text, Time, Facts, Trouble } from "../parts/basics";
import { Ask } from "../parts/confirm";
import { useAction, useLoaded } from "../parts/hooks";
import { go, link, type Route } from "../router";
import { t } from "../words";

type Draft = { type: string; description: string; schema: string; sample: string; deprecated: boolean };

export function NewEventType({ route }: { route: Route }) {
  return <Build begin={{ type: route.query.get("type") ?? "", description: "", schema: "", sample: route.query.get("sample") ?? "", deprecated: false }} />;
}

export function EventTypePage({ id }: { id: string }) {
  const loaded = useLoaded(async () => {
    const text = await callText("GET", tenantPath("event-types", id));
    return { text, type: JSON.parse(text) as RegisteredEventType };
  }, [id]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const { text, type } = loaded.data;
  const written = (name: string) => { const s = member(text, name); return s === "" || s === "null" ? "" : pretty(s); };
  return <Build key={type.updated_at} saved={type} text={text} reload={loaded.reload} begin={{ type: type.type, description: type.description ?? "", schema: written("schema"), sample: written("sample"), deprecated: type.deprecated ?? false }} />;
}

function Build({ begin, saved, text, reload }: { begin: Draft; saved?: RegisteredEventType; text?: string; reload?: () => void }) {
  const [d, setDraft] = useState(begin);
  const set = (part: Partial<Draft>) => setDraft({ ...d, ...part });
  const action = useAction();
  const save = () => action.run(async () => {
    const head = JSON.stringify({ description: d.description, deprecated: d.deprecated }).slice(0, -1);
    const body = head + (d.schema.trim() === "" ? "" : `,"schema":${d.schema}`) + (d.sample.trim() === "" ? "" : `,"sample":${d.sample}`) + "}";
    await call("PUT", tenantPath("event-types", d.type), body);
    if (saved) reload?.();
    else go("event-types", d.type);
  });
  return (
    <>
      <Heading kind={saved && t("type")} title={saved ? saved.type : t("type.add")}>
        {saved && <a class="button" href={link("events", { type: saved.type })}>{t("type.events")}</a>}
        {saved && <Ask label={t("delete")} danger says={<p>{t("type.delete.says", { type: saved.type })}</p>} act={() => call("DELETE", tenantPath("event-types", saved.type))} done={() => go("event-types")} />}
        <button type="button" class="main" disabled={action.busy || d.type === ""} onClick={() => void save()}>{t("save")}</button>
      </Heading>
      {action.error && <Trouble error={action.error} />}
      {saved && <Facts of={[[t("col.changed"), <Time at={saved.updated_at} />]]} />}
      <form class="build" onSubmit={(e) => e.preventDefault()}>
        <fieldset>
          <legend>{t("type")}</legend>
          {!saved && <Field label={t("col.type")} hint={t("type.hint")}><input maxLength={128} value={d.type} onInput={(e) => set({ type: e.currentTarget.value.trim() })} /></Field>}
          <Field label={t("col.description")}><input maxLength={1000} value={d.description} onInput={(e) => set({ description: e.currentTarget.value })} /></Field>
          <label class="check"><input type="checkbox" checked={d.deprecated} onChange={(e) => set({ deprecated: e.currentTarget.checked })} />{t("type.deprecated")}</label>
        </fieldset>
        <div class="pair">
          <fieldset>
            <legend>{t("type.sample")}</legend>
            <Field label={t("type.sample")} hint={t("type.sample.hint")}><textarea rows={10} spellcheck={false} value={d.sample} onInput={(e) => set({ sample: e.currentTarget.value })} /></Field>
          </fieldset>
          <fieldset>
            <legend>{t("type.schema")}</legend>
            <Field label={t("type.schema")} hint={t("type.schema.hint")}><textarea rows={10} spellcheck={false} value={d.schema} onInput={(e) => set({ schema: e.currentTarget.value })} /></Field>
          </fieldset>
        </div>
      </form>
      {text && <details class="section"><summary>{t("json")}</summary><Text label={t("json")}>{pretty(text)}</Text></details>}
    </>
  );
}
