import { useState } from "preact/hooks";
import { call, callText, tenantPath } from "../api/client";
import { member, pretty } from "../api/json";
import type { Profile } from "../api/types";
import { Attributes, attributesOf, type Row, rowsOf } from "../parts/attributes";
import { Facts, Heading, Loading, Text, Time, Trouble } from "../parts/basics";
import { Ask } from "../parts/confirm";
import { useAction, useLoaded } from "../parts/hooks";
import { Timeline } from "../parts/timeline";
import { go, link } from "../router";
import { t } from "../words";

export function ProfilePage({ id }: { id: string }) {
  const [editing, edit] = useState(false);
  const loaded = useLoaded(async () => {
    const text = await callText("GET", tenantPath("profiles", id));
    return { p: JSON.parse(text) as Profile, attributes: member(text, "attributes") };
  }, [id]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const { p, attributes } = loaded.data;
  return (
    <>
      <Heading kind={t("profile")} title={p.subject}>
        {!editing && <button type="button" onClick={() => edit(true)}>{t("edit")}</button>}
        <Ask label={t("profile.erase")} danger says={<p>{t("profile.erase.says", { subject: p.subject })}</p>} act={() => call("DELETE", tenantPath("profiles", id))} done={() => go("profiles")} />
      </Heading>
      <Facts of={[
        [t("col.segments"), p.segments.length === 0 ? "–" : p.segments.map((s) => <a key={s} href={link("segments", s)}>{s} </a>)],
        [t("profile.computed"), p.computed.join(", ") || "–"],
        [t("col.changed"), <Time at={p.updated_at} />],
      ]} />
      <section aria-label={t("col.attributes")}>
        <h2>{t("col.attributes")}</h2>
        {editing ? <EditAttributes of={p} close={() => { edit(false); loaded.reload(); }} /> : <Text label={t("col.attributes")}>{pretty(attributes)}</Text>}
      </section>
      <section aria-label={t("profile.timeline")}><h2>{t("profile.timeline")}</h2><Timeline subject={id} /></section>
    </>
  );
}

// EditAttributes sends only what was changed: numbers that nobody touched stay as they were written.
function EditAttributes({ of: p, close }: { of: Profile; close: () => void }) {
  const own = Object.fromEntries(Object.entries(p.attributes).filter(([name]) => !p.computed.includes(name)));
  const [rows, set] = useState<Row[]>(rowsOf(own));
  const action = useAction();
  const save = () => action.run(async () => {
    const next = attributesOf(rows), change: Record<string, unknown> = {};
    for (const [name, v] of Object.entries(next)) if (JSON.stringify(v) !== JSON.stringify(own[name])) change[name] = v;
    for (const name of Object.keys(own)) if (!(name in next)) change[name] = null;
    await call("PATCH", tenantPath("profiles", p.subject), { attributes: change });
    close();
  });
  return (
    <form onSubmit={(e) => { e.preventDefault(); void save(); }}>
      <Attributes rows={rows} change={set} />
      {action.error && <Trouble error={action.error} />}
      <div class="actions"><button type="button" onClick={close}>{t("back")}</button><button class="main" disabled={action.busy}>{t("save")}</button></div>
    </form>
  );
}
