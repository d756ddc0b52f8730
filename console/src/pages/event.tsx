import { useEffect } from "preact/hooks";
import { call, callText, Refusal, tenantPath, withQuery } from "../api/client";
import { member, pretty } from "../api/json";
import type { EventDetail } from "../api/types";
import { Copy, Empty, Facts, Heading, Loading, Text, Time, Trouble } from "../parts/basics";
import { Ask } from "../parts/confirm";
import { useEvery, useLoaded } from "../parts/hooks";
import { Outcome } from "../parts/outcome";
import { Skips, WhyNot } from "../parts/whynot";
import { link, type Route } from "../router";
import { count, t } from "../words";

export type Shown = { event: EventDetail; data: string };

export function EventPage({ route, id }: { route: Route; id: string }) {
  const source = route.query.get("source") ?? undefined;
  const path = (...rest: string[]) => withQuery(tenantPath("events", id, ...rest), { source });
  const loaded = useLoaded<Shown>(async () => {
    const text = await callText("GET", path());
    return { event: JSON.parse(text) as EventDetail, data: member(text, "data") };
  }, [id, source]);
  const e = loaded.data?.event;
  const open = e !== undefined && (e.counts.pending > 0 || e.counted < e.matched);
  useEvery(2000, open || loaded.error?.status === 404, loaded.reload);
  useEffect(() => { document.title = `${e?.type ?? id} · Postino`; }, [e]);
  if (!e) return loaded.error ? <Missing error={loaded.error} reload={loaded.reload} /> : <Loading />;
  return (
    <>
      <Heading kind={t("event")} title={e.type}>
        <Ask label={t("replay")} disabled={e.expunged} says={<p>{t("replay.says", { n: count(e.matched) })}</p>} act={() => call("POST", path("replay"), {})} done={loaded.reload} />
        <Ask label={t("expunge")} danger disabled={e.expunged} says={<p>{t("expunge.says", { n: count(e.matched) })}</p>} act={() => call("POST", path("expunge"))} done={loaded.reload} />
      </Heading>
      <Facts of={[
        [t("col.id"), <><code>{e.id}</code> <Copy text={e.id} /></>],
        [t("col.subject"), e.subject === null ? "–" : <a href={link("search", { q: e.subject })}>{e.subject}</a>],
        [t("col.source"), <code>{e.source}</code>],
        [t("event.time"), <Time at={e.time} />],
        [t("event.accepted"), <Time at={e.accepted_at} />],
      ]} />
      <section aria-label={t("event.path")}>
        <h2>{t("event.path")}</h2>
        <p>{sentence(e)}</p>
        {e.deliveries.map((d) => <Outcome key={d.id} of={d} />)}
        {e.matched > e.deliveries.length && <p><a href={link("deliveries", { event: e.id, source: e.source })}>{t("event.all")}</a></p>}
        <Skips of={e.skipped} />
        {!e.expunged && <WhyNot event={e} data={loaded.data!.data} />}
      </section>
      <section aria-label={t("data")}>
        <h2>{t("data")}</h2>
        {e.expunged ? <Empty>{t("event.expunged")}</Empty> : <Text label={t("data")}>{pretty(loaded.data!.data)}</Text>}
      </section>
    </>
  );
}

// sentence says in words what became of an event.
function sentence(e: EventDetail): string {
  if (e.matched === 0) return t("event.matched.none");
  const parts = (["succeeded", "pending", "exhausted", "canceled"] as const).filter((s) => e.counts[s] > 0).map((s) => t(`event.counts.${s}`, { n: count(e.counts[s]) }));
  if (e.skipped.length > 0) parts.push(t("event.counts.skipped", { n: count(e.skipped.length) }));
  return t(e.matched === 1 ? "event.matched.one" : "event.matched", { n: count(e.matched) }) + (parts.length > 0 ? " " + parts.join(", ") + "." : "");
}

function Missing({ error, reload }: { error: Refusal; reload: () => void }) {
  return error.status === 404 ? <Empty><p>{t("event.notyet")}</p></Empty> : <Trouble error={error} retry={reload} />;
}
