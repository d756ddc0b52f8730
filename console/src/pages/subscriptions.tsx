import { tenantPath } from "../api/client";
import type { Subscription } from "../api/types";
import { Badge, Heading, Time } from "../parts/basics";
import { type Column, Listing } from "../parts/list";
import { link } from "../router";
import { t } from "../words";

const columns: Column<Subscription>[] = [
  { title: "col.subscription", show: (s) => <><a href={link("subscriptions", s.id)}>{s.name || s.id}</a>{s.name && <span class="under">{s.id}</span>}</>, wide: true },
  { title: "col.state", show: (s) => <Badge of={s.state} /> },
  { title: "col.types", show: (s) => <div class="types">{(s.types ?? ["*"]).join(", ")}</div> },
  { title: "col.url", show: (s) => <code class="long">{s.url ?? "–"}</code> },
  { title: "col.changed", show: (s) => <Time at={s.updated_at} /> },
];

export function Subscriptions() {
  return (
    <>
      <Heading title={t("nav.subscriptions")}><a class="button main" href={link("create")}>{t("create")}</a></Heading>
      <Listing path={tenantPath("subscriptions")} query={{ order: "asc" }} columns={columns} id={(s) => s.id} label={t("nav.subscriptions")} empty={t("subscriptions.none")} />
    </>
  );
}
