import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import type { List, Profile, Segment } from "../api/types";
import { Attributes, attributesOf, type Row } from "../parts/attributes";
import { Field, Heading, Time, Trouble } from "../parts/basics";
import { Dialog } from "../parts/confirm";
import { useAction, useLoaded } from "../parts/hooks";
import { type Column, Listing } from "../parts/list";
import { amend, go, link, type Route } from "../router";
import { t } from "../words";

const profileColumns: Column<Profile>[] = [
  { title: "col.subject", show: (p) => <a href={link("profiles", p.subject)}>{p.subject}</a>, wide: true },
  { title: "col.attributes", show: (p) => Object.keys(p.attributes).join(", ") || "–" },
  { title: "col.segments", show: (p) => p.segments.join(", ") || "–" },
  { title: "col.changed", show: (p) => <Time at={p.updated_at} /> },
];

export function Profiles({ route }: { route: Route }) {
  const segment = route.query.get("segment") ?? "";
  const [subject, set] = useState("");
  const [adding, setAdding] = useState(false);
  const segments = useLoaded(() => get<List<Segment>>(tenantPath("segments")), []);
  return (
    <>
      <Heading title={t("nav.profiles")}><button type="button" class="main" onClick={() => setAdding(true)}>{t("profile.add")}</button></Heading>
      <form class="filters" onSubmit={(e) => { e.preventDefault(); if (subject.trim()) go("profiles", subject.trim()); }}>
        <Field label={t("col.subject")}><input value={subject} onInput={(e) => set(e.currentTarget.value)} /></Field>
        <button>{t("open")}</button>
        {segments.data && segments.data.data.length > 0 && (
          <Field label={t("col.segment")}>
            <select value={segment} onChange={(e) => amend({ segment: e.currentTarget.value })}>
              <option value="">{t("any")}</option>
              {segments.data.data.map((s) => <option key={s.id} value={s.id}>{s.name || s.id}</option>)}
            </select>
          </Field>
        )}
      </form>
      <Listing path={tenantPath("profiles")} query={{ segment }} columns={profileColumns} id={(p) => p.subject} label={t("nav.profiles")} empty={<><p>{t("profiles.none")}</p><p>{t("profiles.none.hint")}</p></>} />
      {adding && <AddProfile close={() => setAdding(false)} />}
    </>
  );
}

function AddProfile({ close }: { close: () => void }) {
  const [subject, set] = useState("");
  const [rows, setRows] = useState<Row[]>([{ name: "", value: "" }]);
  const action = useAction();
  const save = () => action.run(async () => {
    await call("PUT", tenantPath("profiles", subject.trim()), { attributes: attributesOf(rows) });
    close();
    go("profiles", subject.trim());
  });
  return (
    <Dialog title={t("profile.add")} close={close}>
      <form onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <Field label={t("col.subject")} hint={t("profile.subject.hint")}><input required maxLength={256} autoComplete="off" value={subject} onInput={(e) => set(e.currentTarget.value)} /></Field>
        <Attributes rows={rows} change={setRows} />
        {action.error && <Trouble error={action.error} />}
        <div class="actions"><button type="button" onClick={close}>{t("back")}</button><button class="main" disabled={action.busy}>{t("save")}</button></div>
      </form>
    </Dialog>
  );
}

const segmentColumns: Column<Segment>[] = [
  { title: "col.segment", show: (s) => <><a href={link("segments", s.id)}>{s.name || s.id}</a><span class="under">{s.id}</span></>, wide: true },
  { title: "col.filter", show: (s) => <code class="long">{JSON.stringify(s.filter)}</code> },
  { title: "col.changed", show: (s) => <Time at={s.updated_at} /> },
];

export function Segments() {
  return (
    <>
      <Heading title={t("nav.segments")}><a class="button main" href={link("new", "segment")}>{t("segment.add")}</a></Heading>
      <p>{t("segments.about")}</p>
      <Listing path={tenantPath("segments")} columns={segmentColumns} id={(s) => s.id} label={t("nav.segments")} empty={t("segments.none")} />
    </>
  );
}
