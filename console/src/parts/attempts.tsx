import { pretty } from "../api/json";
import type { Attempt } from "../api/types";
import { count, said, t } from "../words";
import { Empty, Text, Time } from "./basics";

// Attempts shows each request that was made, and what was answered.
export function Attempts({ of }: { of: Attempt[] }) {
  if (of.length === 0) return <Empty>{t("attempts.none")}</Empty>;
  return <ol class="attempts">{of.map((a) => <li key={a.number}><One of={a} /></li>)}</ol>;
}

export function One({ of: a }: { of: Attempt }) {
  const headers = Object.entries(a.response?.headers ?? {}).map(([name, value]) => `${name}: ${value}`).join("\n");
  return (
    <article class={a.error === null ? "good" : "bad"}>
      <header class="attempt">
        <h3>{t("attempt.number", { n: a.number })} {a.manual && <small>{t("attempt.manual")}</small>}</h3>
        <span class={`code ${a.error === null ? "good" : "bad"}`}>{a.status_code ?? said("error", a.error ?? "")}</span>
        {a.status_code !== null && a.error !== null && <span>{said("error", a.error)}</span>}
        <span class="quiet">{t("attempt.took", { n: count(a.duration_ms) })} · <Time at={a.started_at} /></span>
      </header>
      {a.detail && <p>{a.detail}</p>}
      {a.response && (
        <details>
          <summary>{t("attempt.answer")}</summary>
          <h4>{t("headers")}</h4>
          {headers ? <Text label={t("headers")}>{headers}</Text> : <p>–</p>}
          <h4>{t("body")}</h4>
          {a.response.body ? <Text label={t("body")}>{pretty(a.response.body)}</Text> : <p>{t("attempt.nobody")}</p>}
        </details>
      )}
    </article>
  );
}
