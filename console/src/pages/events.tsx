import { useState } from "preact/hooks";
import { call, tenantPath } from "../api/client";
import type { Event } from "../api/types";
import { Field, Heading, Time, Trouble } from "../parts/basics";
import { Dialog } from "../parts/confirm";
import { useAction } from "../parts/hooks";
import { type Column, Listing } from "../parts/list";
import { amend, go, link, type Route } from "../router";
import { t } from "../words";

export const eventLink = (e: { id: string; source: string }) => link("events", e.id, { source: e.source });

export const eventColumns: Column<Event>[] = [
  { title: "col.type", show: (e) => <a href={eventLink(e)}>{e.type}</a>, wide: true },
  { title: "col.subject", show: (e) => (e.subject === null ? "–" : <a href={link("search", { q: e.subject })}>{e.subject}</a>) },
  { title: "col.id", show: (e) => <code>{e.id}</code> },
  { title: "col.time", show: (e) => <Time at={e.accepted_at} /> },
];

export function Events({ route }: { route: Route }) {
  const [live, setLive] = useState(false);
  const [publishing, setPublishing] = useState(false);
  const query = { type: route.query.get("type") ?? "", subject: route.query.get("subject") ?? "" };
  return (
    <>
      <Heading title={t("nav.events")}>
        <label class="check"><input type="checkbox" checked={live} onChange={(e) => setLive(e.currentTarget.checked)} />{t("live")}</label>
        <button type="button" class="main" onClick={() => setPublishing(true)}>{t("publish")}</button>
      </Heading>
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <Field label={t("col.type")}><input value={query.type} placeholder="order.*" onChange={(e) => amend({ type: e.currentTarget.value.trim() })} /></Field>
        <Field label={t("col.subject")}><input value={query.subject} onChange={(e) => amend({ subject: e.currentTarget.value.trim() })} /></Field>
      </form>
      <Listing path={tenantPath("events")} query={query} columns={eventColumns} id={(e) => e.source + " " + e.id} live={live} label={t("nav.events")} empty={t("events.none")} />
      {publishing && <Publish close={() => setPublishing(false)} />}
    </>
  );
}

export function Publish({ close }: { close: () => void }) {
  const action = useAction();
  const submit = (e: SubmitEvent) => {
    e.preventDefault();
    const f = new FormData(e.currentTarget as HTMLFormElement);
    const text = (name: string) => String(f.get(name)).trim();
    const subject = text("subject") === "" ? "" : `,"subject":${JSON.stringify(text("subject"))}`;
    const body = `{"type":${JSON.stringify(text("type"))}${subject},"data":${text("data") || "null"}}`;
    void action.run(async () => {
      const { id } = await call<{ id: string }>("POST", tenantPath("events"), body);
      close();
      go("events", id);
    });
  };
  return (
    <Dialog title={t("publish")} close={close}>
      <form onSubmit={submit}>
        <Field label={t("col.type")}><input name="type" required maxLength={128} defaultValue="order.paid" /></Field>
        <Field label={t("col.subject")} hint={t("publish.subject")}><input name="subject" defaultValue="user-1" /></Field>
        <Field label={t("data")} hint={t("publish.data")}><textarea name="data" rows={6} spellcheck={false} defaultValue={'{\n  "order": "1001",\n  "amount": 42.50\n}'} /></Field>
        {action.error && <Trouble error={action.error} />}
        <div class="actions"><button type="button" onClick={close}>{t("back")}</button><button class="main" disabled={action.busy}>{t("publish")}</button></div>
      </form>
    </Dialog>
  );
}
