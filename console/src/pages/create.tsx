import { useEffect, useState } from "preact/hooks";
import { call, callText, Refusal, tenantPath } from "../api/client";
import { pretty } from "../api/json";
import type { Subscription } from "../api/types";
import { Heading, Loading, Trouble } from "../parts/basics";
import { Editor } from "../parts/editor";
import { Gallery } from "../parts/gallery";
import { useAction, useLoaded } from "../parts/hooks";
import { fieldsOf, useLately } from "../parts/lately";
import { LivePreview } from "../parts/livepreview";
import { type Draft, Form } from "../parts/subscriptionform";
import { go, link } from "../router";
import { portal } from "../session";
import { t } from "../words";

const blank = '{\n  "url": "https://"\n}';

export function Create() {
  const [begin, set] = useState<{ text: string; secrets: string[] } | null>(portal ? { text: blank, secrets: [] } : null);
  if (begin) return <Build begin={begin.text} secrets={begin.secrets} />;
  return (
    <>
      <Heading title={t("create.title")}><button type="button" class="main" onClick={() => set({ text: blank, secrets: [] })}>{t("create.blank")}</button></Heading>
      <Gallery choose={(s, secrets) => set({ text: JSON.stringify(s, null, 2), secrets })} />
    </>
  );
}

export function Edit({ id }: { id: string }) {
  const loaded = useLoaded(() => callText("GET", tenantPath("subscriptions", id)), [id]);
  if (loaded.data === undefined) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  return <Build begin={pretty(loaded.data)} secrets={[]} id={id} read={loaded.data} />;
}

const parsed = (text: string): Draft | null => {
  try {
    const v: unknown = JSON.parse(text);
    return v !== null && typeof v === "object" && !Array.isArray(v) ? (v as Draft) : null;
  } catch {
    return null;
  }
};

// unsaved is the draft without what only a saved subscription has: stored credentials and marks of time.
function unsaved(text: string): string {
  const { auth, created_at, updated_at, disabled_reason, ...rest } = parsed(text) ?? {};
  return JSON.stringify(JSON.stringify(auth ?? null).includes("***") ? rest : { ...rest, ...(auth ? { auth } : {}) });
}

// Build edits a subscription. Its JSON is the truth: the form changes the JSON, and shows what it says.
function Build({ begin, secrets, id, read }: { begin: string; secrets: string[]; id?: string; read?: string }) {
  const [text, setText] = useState(begin);
  const [tab, setTab] = useState<"form" | "json">("form");
  const [fields, setFields] = useState<string[]>([]);
  const lately = useLately();
  const action = useAction();
  const draft = parsed(text);
  useEffect(() => {
    const leaving = (e: BeforeUnloadEvent) => text !== begin && e.preventDefault();
    addEventListener("beforeunload", leaving);
    return () => removeEventListener("beforeunload", leaving);
  }, [text]);
  const save = (state?: "paused") => action.run(async () => {
    if (id !== undefined && (await callText("GET", tenantPath("subscriptions", id))) !== read) throw new Refusal(-1, "", t("edit.meanwhile"));
    const body = state ? JSON.stringify({ ...draft, state }) : text;
    const saved = id === undefined ? await call<Subscription>("POST", tenantPath("subscriptions"), body) : await call<Subscription>("PUT", tenantPath("subscriptions", id), body);
    go("subscriptions", saved.id);
  });
  const learn = (event: string) => setFields(["subject", "type", ...fieldsOf((parsed(event) as { data?: unknown } | null)?.data)]);
  return (
    <>
      <Heading title={id === undefined ? t("create.title") : t("edit.title", { id })}>
        <a class="button" href={id === undefined ? link("subscriptions") : link("subscriptions", id)}>{t("back")}</a>
        {id === undefined && <button type="button" disabled={action.busy || !draft} onClick={() => void save("paused")}>{t("create.paused")}</button>}
        <button type="button" class="main" disabled={action.busy || !draft} onClick={() => void save()}>{id === undefined ? t("create.activate") : t("save")}</button>
      </Heading>
      {secrets.length > 0 && <p class="notice">{t("create.secrets")} {secrets.map((s) => <code key={s}>{s}</code>)} <a href={link("secrets")}>{t("nav.secrets")}</a></p>}
      {action.error && <Trouble error={action.error} />}
      <div class="split">
        <div>
          <div class="tabs" role="tablist" aria-label={t("create.title")}>
            {(["form", "json"] as const).map((name) => <button key={name} type="button" role="tab" id={`tab-${name}`} aria-selected={tab === name} aria-controls="panel" onClick={() => setTab(name)}>{t(name === "form" ? "create.form" : "json")}</button>)}
          </div>
          <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
            {tab === "json" ? <Editor value={text} label={t("json")} change={setText} />
              : draft ? <Form draft={draft} fields={fields} events={lately.data ?? []} saved={id !== undefined} change={(d) => setText(JSON.stringify(d, null, 2))} />
              : <p class="trouble" role="alert">{t("create.invalid")}</p>}
          </div>
        </div>
        {draft && lately.data && <LivePreview ready={/^https?:\/\/./.test(draft.url ?? "")} subscription={unsaved(text)} events={lately.data} fields={learn} />}
      </div>
    </>
  );
}
