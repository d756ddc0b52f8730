import { pretty } from "../api/json";
import type { Preview } from "../api/types";
import { said, t } from "../words";
import { Text, Time } from "./basics";

type Request = NonNullable<Preview["request"]>;

// Sent shows a request as it goes over the line.
export function Sent({ of: r, label }: { of: Request; label: string }) {
  const headers = Object.entries({ ...r.headers, "content-type": r.content_type }).sort().map(([k, v]) => `${k}: ${v}`).join("\n");
  return <Text label={label}>{`${r.method} ${r.url}\n${headers}${r.body ? "\n\n" + pretty(r.body) : ""}`}</Text>;
}

// Rendered shows what a preview says: whether an event would lead to a callback, why not, and the request.
export function Rendered({ of: p }: { of: Preview }) {
  const r = p.request;
  return (
    <div class="rendered">
      <p class={p.matched ? "good" : "warn"} role="status">
        <strong>{p.matched ? t("preview.matched") : said("reason", p.reason ?? "")}</strong>
        {p.count !== undefined && <> · {t("preview.count", { n: p.count })}</>}
        {p.due && <> · {t("preview.due")} <Time at={p.due} /></>}
        {p.held && <> · {said("waiting", p.held)}</>}
      </p>
      {p.detail && <p><code>{p.detail}</code></p>}
      {r && <Sent of={r} label={t("preview.request")} />}
    </div>
  );
}
