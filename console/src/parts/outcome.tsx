import { useState } from "preact/hooks";
import { get, tenantPath } from "../api/client";
import type { Delivery, DeliveryDetail } from "../api/types";
import { link } from "../router";
import { count, said, t } from "../words";
import { Attempts } from "./attempts";
import { Badge, Loading, Time, Trouble } from "./basics";
import { useLoaded } from "./hooks";

// why says in words why a delivery stands where it stands.
export function why(d: Delivery): string {
  if (d.status === "succeeded") return t(d.attempt_count === 1 ? "outcome.succeeded.one" : "outcome.succeeded", { n: count(d.attempt_count) });
  if (d.status === "pending") return d.waiting ? said("waiting", d.waiting) : t("outcome.underway");
  const reason = d.reason ? said("reason", d.reason) : t(d.attempt_count === 1 ? "outcome.spent.one" : "outcome.spent", { n: count(d.attempt_count) });
  return d.detail ? `${reason} (${d.detail})` : reason;
}

// Outcome is a delivery within its event's page. Opened, it shows each attempt.
export function Outcome({ of: d }: { of: Delivery }) {
  const [open, set] = useState(false);
  return (
    <details class="outcome" onToggle={(e) => set(e.currentTarget.open)}>
      <summary><Badge of={d.status} /> <strong>{d.subscription}</strong> <span>{why(d)}</span></summary>
      <p>
        <a href={link("deliveries", d.id)}>{t("delivery.open")}</a>
        {d.next_attempt_at && <> · {t("delivery.next")} <Time at={d.next_attempt_at} /></>}
        {d.replay && <> · {t("delivery.replay")} <code>{d.replay}</code></>}
      </p>
      {open && <Inside id={d.id} count={d.attempt_count} />}
    </details>
  );
}

function Inside({ id, count: n }: { id: string; count: number }) {
  const loaded = useLoaded(() => get<DeliveryDetail>(tenantPath("deliveries", id)), [id, n]);
  if (loaded.data) return <Attempts of={loaded.data.attempts} />;
  return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
}
