import { useEffect } from "preact/hooks";
import { get, Refusal, tenantPath } from "../api/client";
import type { Delivery, Event, List, Moment, Subscription } from "../api/types";
import { Empty, Heading, Loading, Trouble } from "../parts/basics";
import { useLoaded } from "../parts/hooks";
import { Table } from "../parts/list";
import { Moments } from "../parts/timeline";
import { go, link, type Route } from "../router";
import { t } from "../words";
import { deliveryColumns } from "./deliveries";

type Found = { events: Moment[]; deliveries: Delivery[]; of: Delivery[]; subscriptions: Subscription[] };

const rows = <T,>(what: string, query: Record<string, string | number>) =>
  get<List<T>>(tenantPath(what), query).then((l) => l.data).catch((e: unknown) => {
    if (e instanceof Refusal && e.status === 422) return []; // what was typed cannot be this
    throw e;
  });

// moments is what happened to a subject, and what every subscription made of it.
async function moments(subject: string): Promise<Moment[]> {
  const events = await rows<Event>("events", { subject, limit: 1 });
  return events.length === 0 ? [] : (await get<List<Moment>>(tenantPath("profiles", subject, "timeline"), { limit: 20 })).data;
}

// find asks for everything that the words can be: a subject, the id of an event, of a delivery, or of a subscription.
// Lists answer with nothing where an id would be "not found".
async function find(q: string): Promise<Found> {
  const [events, deliveries, of, all] = await Promise.all([
    moments(q),
    rows<Delivery>("deliveries", { subject: q, limit: 20 }),
    rows<Delivery>("deliveries", { event: q, limit: 20 }),
    rows<Subscription>("subscriptions", { limit: 250, order: "asc" }),
  ]);
  const wanted = q.toLowerCase();
  const subscriptions = all.filter((s) => `${s.id} ${s.name} ${s.url ?? ""}`.toLowerCase().includes(wanted)).slice(0, 20);
  return { events, deliveries, of, subscriptions };
}

export function Search({ route }: { route: Route }) {
  const q = (route.query.get("q") ?? "").trim();
  useEffect(() => {
    if (/^dlv_[0-9a-v]{32}$/.test(q)) go("deliveries", q);
    else if (/^evt_[0-9a-z]{26}$/.test(q)) go("events", q);
  }, [q]);
  const loaded = useLoaded(() => find(q), [q]);
  const f = loaded.data;
  if (!f) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const nothing = f.events.length + f.deliveries.length + f.of.length + f.subscriptions.length === 0;
  return (
    <>
      <Heading kind={t("search.kind")} title={q} />
      {nothing && <Empty><p>{t("search.none", { q })}</p><p>{t("search.none.hint")}</p></Empty>}
      {f.events.length > 0 && <section aria-label={t("profile.timeline")}><h2>{t("profile.timeline")}</h2><p>{t("search.timeline.says")} <a href={link("profiles", q)}>{t("profile.open")}</a></p><Moments of={f.events} /></section>}
      {f.deliveries.length > 0 && <section aria-label={t("search.deliveries")}><h2>{t("search.deliveries")}</h2><Table rows={f.deliveries} columns={deliveryColumns} id={(d) => d.id} label={t("search.deliveries")} /></section>}
      {f.of.length > 0 && <section aria-label={t("search.of")}><h2>{t("search.of")}</h2><p><a href={link("events", q)}>{t("search.event.open")}</a></p><Table rows={f.of} columns={deliveryColumns} id={(d) => d.id} label={t("search.of")} /></section>}
      {f.subscriptions.length > 0 && <section aria-label={t("nav.subscriptions")}><h2>{t("nav.subscriptions")}</h2><ul>{f.subscriptions.map((s) => <li key={s.id}><a href={link("subscriptions", s.id)}>{s.name || s.id}</a> <code>{s.url}</code></li>)}</ul></section>}
    </>
  );
}
