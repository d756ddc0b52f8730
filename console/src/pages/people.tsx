import { useState } from "preact/hooks";
import { callText, get, tenantPath } from "../api/client";
import { member, pretty } from "../api/json";
import type { List, Profile, Segment } from "../api/types";
import { Facts, Field, Heading, Loading, Text, Time, Trouble } from "../parts/basics";
import { useLoaded } from "../parts/hooks";
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
  const segments = useLoaded(() => get<List<Segment>>(tenantPath("segments")), []);
  return (
    <>
      <Heading title={t("nav.profiles")} />
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
      <Listing path={tenantPath("profiles")} query={{ segment }} columns={profileColumns} id={(p) => p.subject} label={t("nav.profiles")} empty={t("profiles.none")} />
    </>
  );
}

export function ProfilePage({ id }: { id: string }) {
  const loaded = useLoaded(async () => {
    const text = await callText("GET", tenantPath("profiles", id));
    return { p: JSON.parse(text) as Profile, attributes: member(text, "attributes") };
  }, [id]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const { p, attributes } = loaded.data;
  return (
    <>
      <Heading kind={t("profile")} title={p.subject}><a class="button" href={link("search", { q: p.subject })}>{t("profile.timeline")}</a></Heading>
      <Facts of={[
        [t("col.segments"), p.segments.join(", ") || "–"],
        [t("profile.computed"), p.computed.join(", ") || "–"],
        [t("col.changed"), <Time at={p.updated_at} />],
      ]} />
      <section aria-label={t("col.attributes")}><h2>{t("col.attributes")}</h2><Text label={t("col.attributes")}>{pretty(attributes)}</Text></section>
    </>
  );
}

const segmentColumns: Column<Segment>[] = [
  { title: "col.segment", show: (s) => <a href={link("profiles", { segment: s.id })}>{s.name || s.id}</a>, wide: true },
  { title: "col.id", show: (s) => <code>{s.id}</code> },
  { title: "col.filter", show: (s) => <code>{JSON.stringify(s.filter)}</code> },
  { title: "col.changed", show: (s) => <Time at={s.updated_at} /> },
];

export function Segments() {
  return (
    <>
      <Heading title={t("nav.segments")} />
      <Listing path={tenantPath("segments")} columns={segmentColumns} id={(s) => s.id} label={t("nav.segments")} empty={t("segments.none")} />
    </>
  );
}
