import { useState } from "preact/hooks";
import { get, tenantPath } from "../api/client";
import type { Delivery, Event, List, Stats, Subscription } from "../api/types";
import { Heading, Loading, Trouble } from "../parts/basics";
import { useEvery, useLoaded } from "../parts/hooks";
import { Tiles } from "../parts/figures";
import { Table } from "../parts/list";
import { link } from "../router";
import { portal } from "../session";
import { t } from "../words";
import { deliveryColumns } from "./deliveries";
import { Publish } from "./events";

type Seen = { subscriptions: Subscription[]; deliveries: Delivery[]; failed: Delivery[]; events: Event[]; stats: Stats | null };

async function look(): Promise<Seen> {
  const list = <T,>(what: string, query: Record<string, string | number>) => get<List<T>>(tenantPath(what), query).then((l) => l.data);
  const [subscriptions, deliveries, failed, events, stats] = await Promise.all([
    list<Subscription>("subscriptions", { limit: 50 }),
    list<Delivery>("deliveries", { limit: 10 }),
    list<Delivery>("deliveries", { limit: 5, status: "exhausted" }),
    portal ? [] : list<Event>("events", { limit: 1 }),
    portal ? null : get<Stats>(tenantPath("stats")),
  ]);
  return { subscriptions, deliveries, failed, events, stats };
}

export function Overview() {
  const loaded = useLoaded(look, []);
  useEvery(3000, loaded.data !== undefined, loaded.reload);
  const seen = loaded.data;
  if (!seen) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const troubled = seen.subscriptions.filter((s) => s.state !== "active");
  return (
    <>
      <Heading title={t("nav.overview")}>
        <a class="button main" href={link("create")}>{t("create")}</a>
      </Heading>
      {loaded.error && <Trouble error={loaded.error} retry={loaded.reload} />}
      {(seen.subscriptions.length === 0 || seen.deliveries.length === 0) && <Guide seen={seen} />}
      {seen.stats && (seen.stats.total.attempts.made > 0 || seen.stats.total.deliveries.canceled > 0) && <Numbers of={seen.stats} />}
      {troubled.length > 0 && (
        <section aria-label={t("overview.troubled")}>
          <h2>{t("overview.troubled")}</h2>
          <ul>{troubled.map((s) => <li key={s.id}><a href={link("subscriptions", s.id)}>{s.name || s.id}</a>: {t(s.state === "paused" ? "subscription.paused" : "subscription.disabled")}</li>)}</ul>
        </section>
      )}
      {seen.failed.length > 0 && (
        <section aria-label={t("overview.failed")}><h2>{t("overview.failed")}</h2><Table rows={seen.failed} columns={deliveryColumns} id={(d) => d.id} label={t("overview.failed")} /></section>
      )}
      {seen.deliveries.length > 0 && (
        <section aria-label={t("overview.latest")}><h2>{t("overview.latest")}</h2><Table rows={seen.deliveries} columns={deliveryColumns} id={(d) => d.id} label={t("overview.latest")} />
          <p class="more"><a href={link("deliveries")}>{t("overview.all")}</a></p></section>
      )}
    </>
  );
}

function Numbers({ of }: { of: Stats }) {
  return <section aria-label={t("overview.day")}><h2>{t("overview.day")}</h2><Tiles of={of} /></section>;
}

// Guide leads from nothing to the first verified callback.
function Guide({ seen }: { seen: Seen }) {
  const [publishing, set] = useState(false);
  const steps: [boolean, string, preact.ComponentChildren][] = [
    [seen.subscriptions.length > 0, t("guide.subscribe"), <a class="button" href={link("create")}>{t("create")}</a>],
    ...(portal ? [] : [[seen.events.length > 0, t("guide.publish"), <button type="button" onClick={() => set(true)}>{t("publish")}</button>] as [boolean, string, preact.ComponentChildren]]),
    [seen.deliveries.length > 0, t("guide.see"), null],
  ];
  return (
    <section class="guide" aria-label={t("guide")}>
      <h2>{t("guide")}</h2>
      <ol>
        {steps.map(([done, says, action]) => (
          <li key={says} class={done ? "done" : ""}><span>{says}</span> {done ? <strong>{t("guide.done")}</strong> : action}</li>
        ))}
      </ol>
      {publishing && <Publish close={() => set(false)} />}
    </section>
  );
}
