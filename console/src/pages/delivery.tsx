import { call, get, tenantPath } from "../api/client";
import type { DeliveryDetail } from "../api/types";
import { Attempts } from "../parts/attempts";
import { Badge, Copy, Facts, Heading, Loading, Time, Trouble } from "../parts/basics";
import { Ask } from "../parts/confirm";
import { useEvery, useLoaded } from "../parts/hooks";
import { why } from "../parts/outcome";
import { Sent } from "../parts/rendered";
import { link } from "../router";
import { portal } from "../session";
import { t } from "../words";
import { eventLink } from "./events";

export function DeliveryPage({ id }: { id: string }) {
  const path = (...rest: string[]) => tenantPath("deliveries", id, ...rest);
  const loaded = useLoaded(() => get<DeliveryDetail>(path()), [id]);
  const d = loaded.data;
  useEvery(2000, d?.status === "pending", loaded.reload);
  if (!d) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const names = { subscription: d.subscription };
  return (
    <>
      <Heading kind={t("delivery")} title={<>{d.subscription} <Badge of={d.status} /></>}>
        <Ask label={t("retry")} says={<p>{t(d.status === "succeeded" ? "retry.says.again" : "retry.says", names)}</p>} act={() => call("POST", path("retry"))} done={() => setTimeout(loaded.reload, 500)} />
        <Ask label={t("cancel")} danger disabled={d.status !== "pending"} says={<p>{t("cancel.says", names)}</p>} act={() => call("POST", path("cancel"))} done={loaded.reload} />
      </Heading>
      <p class="lead">{why(d)}</p>
      <Facts of={[
        [t("col.id"), <><code>{d.id}</code> <Copy text={d.id} /></>],
        [t("col.type"), d.type],
        [t("col.url"), d.url === null ? "–" : <code>{d.url}</code>],
        [t("col.event"), portal ? <code>{d.event}</code> : <a href={eventLink({ id: d.event, source: d.source })}>{d.event}</a>],
        [t("col.subscription"), <a href={link("subscriptions", d.subscription)}>{d.subscription}</a>],
        [t("delivery.created"), <Time at={d.created_at} />],
        [t("delivery.next"), <Time at={d.next_attempt_at} />],
        [t("delivery.ended"), <Time at={d.ended_at} />],
      ]} />
      {d.request && <section aria-label={t("delivery.request")}><h2>{t("delivery.request")}</h2><p class="quiet">{t("delivery.request.says")}</p><Sent of={d.request} label={t("delivery.request")} /></section>}
      <section aria-label={t("attempts")}><h2>{t("attempts")}</h2><Attempts of={d.attempts} /></section>
    </>
  );
}
