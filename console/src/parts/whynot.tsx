import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import type { EventDetail, List, Preview, Reason, Subscription } from "../api/types";
import { link } from "../router";
import { said, t } from "../words";
import { Field, Loading, Time, Trouble } from "./basics";
import { useLoaded } from "./hooks";

type Skip = { subscription: string; reason: Reason; until?: string };

// Skips are the subscriptions that matched and got nothing, each with the reason in words.
export function Skips({ of }: { of: Skip[] }) {
  if (of.length === 0) return null;
  return (
    <>
      <h3>{t("skips")}</h3>
      <ul class="skips">
        {of.map((s) => (
          <li key={s.subscription}>
            <a href={link("subscriptions", s.subscription)}>{s.subscription}</a>: {said("reason", s.reason)}
            {s.until && <> {t("skips.until")} <Time at={s.until} /></>}
          </li>
        ))}
      </ul>
    </>
  );
}

// WhyNot asks, for a subscription that the event does not name, what a preview of this event says.
export function WhyNot({ event, data }: { event: EventDetail; data: string }) {
  const [chosen, choose] = useState("");
  const subscriptions = useLoaded(() => get<List<Subscription>>(tenantPath("subscriptions"), { limit: 250, order: "asc" }), []);
  const named = new Set([...event.deliveries.map((d) => d.subscription), ...event.skipped.map((s) => s.subscription)]);
  const others = (subscriptions.data?.data ?? []).filter((s) => !named.has(s.id));
  if (others.length === 0) return null;
  return (
    <div class="whynot">
      <h3>{t("whynot")}</h3>
      <Field label={t("whynot.label")}>
        <select value={chosen} onChange={(e) => choose(e.currentTarget.value)}>
          <option value="">{t("whynot.choose")}</option>
          {others.map((s) => <option key={s.id} value={s.id}>{s.name ? `${s.id}: ${s.name}` : s.id}</option>)}
        </select>
      </Field>
      {chosen !== "" && <Verdict subscription={chosen} event={event} data={data} />}
    </div>
  );
}

function Verdict({ subscription, event, data }: { subscription: string; event: EventDetail; data: string }) {
  const asked = { id: event.id, source: event.source, type: event.type, time: event.time, ...(event.subject === null ? {} : { subject: event.subject }) };
  const body = `{"event":${JSON.stringify(asked).slice(0, -1)},"data":${data || "null"}}}`;
  const loaded = useLoaded(() => call<Preview>("POST", tenantPath("subscriptions", subscription, "preview"), body), [subscription, body]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const p = loaded.data;
  return (
    <div class="verdict" role="status">
      <p><strong>{p.matched ? t("verdict.matches") : said("reason", p.reason ?? "")}</strong></p>
      {p.detail && <p><code>{p.detail}</code></p>}
      {p.held && <p>{said("waiting", p.held)}</p>}
      <p class="quiet">{t("verdict.now")} <a href={link("subscriptions", subscription)}>{t("subscription.open")}</a></p>
    </div>
  );
}
