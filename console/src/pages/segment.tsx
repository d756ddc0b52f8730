import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import { pretty } from "../api/json";
import type { List, Profile, Segment } from "../api/types";
import { Field, Heading, Loading, Text, Time, Trouble } from "../parts/basics";
import { Filter } from "../parts/conditions";
import { Ask } from "../parts/confirm";
import { useAction, useLoaded } from "../parts/hooks";
import { Listing } from "../parts/list";
import { go, link } from "../router";
import { t } from "../words";

type Draft = { id: string; name: string; filter?: unknown };

// useProfileFields names the attributes of the latest profiles, as conditions write them.
export const useProfileFields = () => useLoaded(async () => {
  const { data } = await get<List<Profile>>(tenantPath("profiles"), { limit: 50 });
  return [...new Set(data.flatMap((p) => Object.keys(p.attributes)))].sort().map((name) => `profile.${name}`);
}, []);

export const NewSegment = () => <Build begin={{ id: "", name: "" }} />;

export function SegmentPage({ id }: { id: string }) {
  const loaded = useLoaded(() => get<Segment>(tenantPath("segments", id)), [id]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  return <Build key={loaded.data.updated_at} begin={loaded.data as Draft} saved={loaded.data} reload={loaded.reload} />;
}

function Build({ begin, saved, reload }: { begin: Draft; saved?: Segment; reload?: () => void }) {
  const [draft, set] = useState<Draft>({ id: begin.id, name: begin.name, filter: begin.filter });
  const fields = useProfileFields();
  const action = useAction();
  const save = () => action.run(async () => {
    await call("PUT", tenantPath("segments", draft.id), { name: draft.name, filter: draft.filter ?? {} });
    if (saved) reload?.();
    else go("segments", draft.id);
  });
  return (
    <>
      <Heading kind={saved && t("col.segment")} title={saved ? saved.name || saved.id : t("segment.add")}>
        {saved && <a class="button" href={link("send", { segment: saved.id })}>{t("send.to")}</a>}
        {saved && <Ask label={t("delete")} danger says={<p>{t("segment.delete.says", { id: saved.id })}</p>} act={() => call("DELETE", tenantPath("segments", saved.id))} done={() => go("segments")} />}
        <button type="button" class="main" disabled={action.busy || draft.id === "" || draft.filter === undefined} onClick={() => void save()}>{t("save")}</button>
      </Heading>
      {action.error && <Trouble error={action.error} />}
      <form class="build" onSubmit={(e) => e.preventDefault()}>
        <fieldset>
          <legend>{t("segment.who")}</legend>
          <div class="pair">
            <Field label={t("col.name")}><input maxLength={200} value={draft.name} onInput={(e) => set({ ...draft, name: e.currentTarget.value })} /></Field>
            {!saved && <Field label={t("col.id")} hint={t("id.hint")}><input value={draft.id} onInput={(e) => set({ ...draft, id: e.currentTarget.value.trim() })} /></Field>}
          </div>
          <p class="quiet">{t("segment.all")}</p>
          {fields.data && <Filter filter={draft.filter} fields={fields.data.length > 0 ? fields.data : ["profile.plan"]} change={(filter) => set({ ...draft, filter })} />}
        </fieldset>
      </form>
      {saved && (
        <section aria-label={t("segment.members")}>
          <h2>{t("segment.members")}</h2>
          <Listing path={tenantPath("profiles")} query={{ segment: saved.id, limit: 20 }} columns={[
            { title: "col.subject", show: (p: Profile) => <a href={link("profiles", p.subject)}>{p.subject}</a>, wide: true },
            { title: "col.changed", show: (p: Profile) => <Time at={p.updated_at} /> },
          ]} id={(p) => p.subject} label={t("segment.members")} empty={t("segment.empty")} />
        </section>
      )}
      {saved && <details class="section"><summary>{t("json")}</summary><Text label={t("json")}>{pretty(JSON.stringify(saved))}</Text></details>}
    </>
  );
}
