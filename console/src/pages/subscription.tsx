import { call, callText, get, tenantPath } from "../api/client";
import { pretty } from "../api/json";
import type { Subscription } from "../api/types";
import { Badge, Copy, Facts, Heading, Loading, Text, Time, Trouble } from "../parts/basics";
import { Ask } from "../parts/confirm";
import { useLoaded } from "../parts/hooks";
import { Listing } from "../parts/list";
import { Recover } from "../parts/recover";
import { Signing } from "../parts/signing";
import { Figures } from "../parts/figures";
import { TestSend } from "../parts/testsend";
import { sentenceOf } from "../parts/sentence";
import { go, link } from "../router";
import { portal } from "../session";
import { t } from "../words";
import { deliveryColumns } from "./deliveries";

export function SubscriptionPage({ id }: { id: string }) {
  const path = (...rest: string[]) => tenantPath("subscriptions", id, ...rest);
  const loaded = useLoaded(async () => {
    const text = await callText("GET", path());
    return { s: JSON.parse(text) as Subscription, text };
  }, [id]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const { s, text } = loaded.data;
  return (
    <>
      <Heading kind={t("subscription")} title={<>{s.name || s.id} <Badge of={s.state} /></>}>
        <a class="button" href={link("edit", id)}>{t("edit")}</a>
        {s.state === "active"
          ? <Ask label={t("pause")} says={<p>{t("pause.says")}</p>} act={() => call("POST", path("pause"))} done={loaded.reload} />
          : <Ask label={t("resume")} says={<p>{t("resume.says")}</p>} act={() => call("POST", path("resume"))} done={loaded.reload} />}
        <Ask label={t("delete")} danger says={<p>{t("delete.says", { id })}</p>} act={() => call("DELETE", path())} done={() => go("subscriptions")} />
      </Heading>
      {s.state === "disabled" && <p class="trouble" role="alert">{t("subscription.disabled")} {s.disabled_reason}</p>}
      {s.description && <p class="lead">{s.description}</p>}
      <p class="lead">{sentenceOf(s)}</p>
      <Facts of={[
        [t("col.id"), <><code>{s.id}</code> <Copy text={s.id} /></>],
        [t("col.url"), <code>{s.request.method ?? "POST"} {s.url}</code>],
        [t("col.auth"), s.auth.type],
        [t("col.retry"), s.retry.schedule.join(" · ") || t("retry.none")],
        [t("col.changed"), <Time at={s.updated_at} />],
      ]} />
      {!portal && <Figures subscription={id} />}
      <section aria-label={t("subscription.latest")}>
        <h2>{t("subscription.latest")}</h2>
        <Listing path={tenantPath("deliveries")} query={{ subscription: id, limit: 10 }} columns={deliveryColumns.filter((c) => c.title !== "col.subscription")} id={(d) => d.id} label={t("subscription.latest")} empty={t("deliveries.none")} />
      </section>
      <TestSend id={id} />
      <Recover id={id} />
      <Signing id={id} />
      <details class="section"><summary>{t("json")}</summary><Text label={t("json")}>{pretty(text)}</Text></details>
    </>
  );
}

export const subscriptionOf = (id: string) => get<Subscription>(tenantPath("subscriptions", id));
