import { useState } from "preact/hooks";
import { tenantPath } from "../api/client";
import type { Delivery } from "../api/types";
import { Badge, Field, Heading, Time } from "../parts/basics";
import { type Column, Listing } from "../parts/list";
import { why } from "../parts/outcome";
import { amend, link, type Route } from "../router";
import { portal } from "../session";
import { count, said, t } from "../words";
import { eventLink } from "./events";

// answered says how the newest attempt ended.
export const answered = (d: Delivery) => [d.status_code === null ? "" : String(d.status_code), d.error === null ? "" : said("error", d.error)].filter((s) => s !== "").join(" · ");

export const deliveryColumns: Column<Delivery>[] = [
  { title: "col.status", show: (d) => <Badge of={d.status} /> },
  { title: "col.event", show: (d) => <><strong>{d.type}</strong><span class="under">{portal ? d.event : <a href={eventLink({ id: d.event, source: d.source })}>{d.event}</a>}</span></> },
  { title: "col.subscription", show: (d) => <><a href={link("subscriptions", d.subscription)}>{d.subscription}</a>{d.url && <span class="under">{d.url}</span>}</> },
  { title: "col.why", show: (d) => <><a href={link("deliveries", d.id)}>{why(d)}</a>{answered(d) && <span class="under">{answered(d)}</span>}</>, wide: true },
  { title: "col.attempts", show: (d) => count(d.attempt_count) },
  { title: "col.time", show: (d) => <Time at={d.created_at} /> },
];

const statuses = ["", "pending", "succeeded", "exhausted", "canceled"];
const filters = ["status", "subscription", "subject", "event", "source"] as const;

export function Deliveries({ route }: { route: Route }) {
  const [live, setLive] = useState(false);
  const query = Object.fromEntries(filters.map((name) => [name, route.query.get(name) ?? ""]));
  return (
    <>
      <Heading title={t("nav.deliveries")}>
        <label class="check"><input type="checkbox" checked={live} onChange={(e) => setLive(e.currentTarget.checked)} />{t("live")}</label>
      </Heading>
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <Field label={t("col.status")}>
          <select value={query.status} onChange={(e) => amend({ status: e.currentTarget.value })}>
            {statuses.map((s) => <option key={s} value={s}>{s === "" ? t("any") : said("status", s)}</option>)}
          </select>
        </Field>
        <Field label={t("col.subscription")}><input value={query.subscription} onChange={(e) => amend({ subscription: e.currentTarget.value.trim() })} /></Field>
        <Field label={t("col.subject")}><input value={query.subject} onChange={(e) => amend({ subject: e.currentTarget.value.trim(), event: "", source: "" })} /></Field>
        <Field label={t("col.event")}><input value={query.event} onChange={(e) => amend({ event: e.currentTarget.value.trim(), source: "", subject: "" })} /></Field>
      </form>
      <Listing path={tenantPath("deliveries")} query={query} columns={deliveryColumns} id={(d) => d.id} live={live} label={t("nav.deliveries")} empty={t("deliveries.none")} />
    </>
  );
}
