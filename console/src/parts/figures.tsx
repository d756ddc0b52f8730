import { get, tenantPath } from "../api/client";
import type { Stats } from "../api/types";
import { count, said, t } from "../words";
import { Loading, Trouble } from "./basics";
import { useLoaded } from "./hooks";

// Figures are the outcomes of one subscription in the last day.
export function Figures({ subscription }: { subscription: string }) {
  const loaded = useLoaded(() => get<Stats>(tenantPath("stats"), { subscription }), [subscription]);
  return (
    <section aria-label={t("overview.day")}>
      <h2>{t("overview.day")}</h2>
      {loaded.data ? <Tiles of={loaded.data} /> : loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />}
    </section>
  );
}

// milliseconds writes a duration, with a decimal where that says more.
export const milliseconds = (n: number) => `${count(n < 10 ? Math.round(n * 10) / 10 : Math.round(n))} ms`;

export function Tiles({ of }: { of: Stats }) {
  const { deliveries: d, attempts, attempt_ms: ms } = of.total;
  const failed = Object.entries(attempts.failed).filter(([, n]) => n > 0);
  const tiles: [string, string][] = [
    [t("stats.succeeded"), count(d.succeeded)], [t("stats.exhausted"), count(d.exhausted)], [t("stats.canceled"), count(d.canceled)],
    [t("stats.attempts"), count(attempts.made)], [t("stats.p95"), ms ? milliseconds(ms.p95) : "–"],
  ];
  return (
    <>
      <dl class="tiles">{tiles.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {failed.length > 0 && <p>{t("stats.failed")} {failed.map(([error, n]) => `${said("error", error)}: ${count(n)}`).join(" · ")}</p>}
    </>
  );
}
