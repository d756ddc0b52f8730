import { get, tenantPath } from "../api/client";
import type { List, Moment } from "../api/types";
import { link } from "../router";
import { said, t } from "../words";
import { Empty, Loading, Time, Trouble } from "./basics";
import { useLoaded } from "./hooks";
import { Sent } from "./rendered";

type Outcome = Moment["outcomes"][number];

const tones: Record<string, string> = { sent: "good", failed: "bad", waiting: "busy", skipped: "quiet" };

// Timeline is what happened to a subject: each event, and what every subscription made of it.
export function Timeline({ subject }: { subject: string }) {
  const loaded = useLoaded(() => get<List<Moment>>(tenantPath("profiles", subject, "timeline"), { limit: 20 }), [subject]);
  if (!loaded.data) return loaded.error ? loaded.error.status === 404 ? <Empty>{t("timeline.none")}</Empty> : <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  if (loaded.data.data.length === 0) return <Empty>{t("timeline.none")}</Empty>;
  return <Moments of={loaded.data.data} />;
}

export function Moments({ of }: { of: Moment[] }) {
  return (
    <ol class="timeline">
      {of.map((m) => (
        <li key={m.source + m.id}>
          <header><a href={link("events", m.id, { source: m.source })}>{m.type}</a> <Time at={m.accepted_at} /></header>
          {m.outcomes.length === 0 ? <p class="quiet">{t("timeline.nobody")}</p> : <ul>{m.outcomes.map((o) => <li key={o.subscription + (o.delivery ?? "")}><Line of={o} /></li>)}</ul>}
        </li>
      ))}
    </ol>
  );
}

function Line({ of: o }: { of: Outcome }) {
  const words = o.reason ? said("reason", o.reason) : o.waiting ? said("waiting", o.waiting) : t(o.outcome === "sent" ? "timeline.sent" : "timeline.failed");
  return (
    <>
      <p>
        <span class={`badge ${tones[o.outcome] ?? "quiet"}`}>{said("outcome", o.outcome)}</span> <a href={link("subscriptions", o.subscription)}>{o.subscription}</a>{" "}
        {o.delivery ? <a href={link("deliveries", o.delivery)}>{words}</a> : words}
        {o.status_code !== undefined && o.status_code !== null && <> · <strong>{o.status_code}</strong></>}
        {o.until && <> · {t("skips.until")} <Time at={o.until} /></>}
      </p>
      {o.outcome === "skipped" && o.text && <p class="detail"><code>{o.text}</code></p>}
      {o.request && <details><summary>{t("delivery.request")}</summary><Sent of={o.request} label={t("delivery.request")} /></details>}
    </>
  );
}
