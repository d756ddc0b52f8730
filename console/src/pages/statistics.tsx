import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { get, tenantPath } from "../api/client";
import type { Stats } from "../api/types";
import { Empty, Field, Heading, Loading, Time, Trouble } from "../parts/basics";
import { milliseconds, Tiles } from "../parts/figures";
import { useLoaded } from "../parts/hooks";
import { amend, type Route } from "../router";
import { count, t, type Name } from "../words";

const days: [string, Name][] = [["1", "range.day"], ["7", "range.week"], ["30", "range.month"]];

export function Statistics({ route }: { route: Route }) {
  const range = route.query.get("days") ?? "1", subscription = route.query.get("subscription") ?? "";
  const after = () => new Date(Date.now() - Number(range) * 86_400_000).toISOString();
  const loaded = useLoaded(() => get<Stats>(tenantPath("stats"), { after: after(), subscription }), [range, subscription]);
  return (
    <>
      <Heading title={t("nav.statistics")} />
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <Field label={t("recover.range")}><select value={range} onChange={(e) => amend({ days: e.currentTarget.value })}>{days.map(([n, name]) => <option key={n} value={n}>{t(name)}</option>)}</select></Field>
        <Field label={t("col.subscription")}><input value={subscription} onChange={(e) => amend({ subscription: e.currentTarget.value.trim() })} /></Field>
      </form>
      {loaded.error && <Trouble error={loaded.error} retry={loaded.reload} />}
      {loaded.data ? <Shown of={loaded.data} /> : !loaded.error && <Loading />}
    </>
  );
}

function Shown({ of }: { of: Stats }) {
  if (of.hours.length === 0) return <Empty>{t("stats.none")}</Empty>;
  const hours = of.hours.map((h) => Date.parse(h.hour) / 1000);
  const range = { from: Date.parse(of.after) / 1000, to: Date.parse(of.before) / 1000 };
  const outcomes: uPlot.AlignedData = [hours, of.hours.map((h) => h.deliveries.succeeded), of.hours.map((h) => h.deliveries.exhausted), of.hours.map((h) => h.deliveries.canceled)];
  const latency: uPlot.AlignedData = [hours, of.hours.map((h) => h.attempt_ms?.p50 ?? null), of.hours.map((h) => h.attempt_ms?.p95 ?? null)];
  return (
    <>
      <Tiles of={of} />
      <section aria-label={t("stats.outcomes")}><h2>{t("stats.outcomes")}</h2><Chart {...range} data={outcomes} lines={[[t("stats.succeeded"), "--good"], [t("stats.exhausted"), "--bad"], [t("stats.canceled"), "--quiet"]]} /></section>
      <section aria-label={t("stats.latency")}><h2>{t("stats.latency")}</h2><Chart {...range} data={latency} lines={[["p50", "--accent"], ["p95", "--warn"]]} /></section>
      <section aria-label={t("stats.table")}>
        <h2>{t("stats.table")}</h2>
        <table aria-label={t("stats.table")}>
          <thead><tr><th scope="col">{t("col.time")}</th><th scope="col">{t("stats.succeeded")}</th><th scope="col">{t("stats.exhausted")}</th><th scope="col">{t("stats.canceled")}</th><th scope="col">p95</th></tr></thead>
          <tbody>{[...of.hours].reverse().map((h) => (
            <tr key={h.hour}><td data-title={t("col.time")}><Time at={h.hour} /></td><td data-title={t("stats.succeeded")}>{count(h.deliveries.succeeded)}</td><td data-title={t("stats.exhausted")}>{count(h.deliveries.exhausted)}</td><td data-title={t("stats.canceled")}>{count(h.deliveries.canceled)}</td><td data-title="p95">{h.attempt_ms ? milliseconds(h.attempt_ms.p95) : "–"}</td></tr>
          ))}</tbody>
        </table>
      </section>
    </>
  );
}

// Chart draws lines over time. The table below it says the same to who does not see it.
function Chart({ data, lines, from, to }: { data: uPlot.AlignedData; lines: [string, string][]; from: number; to: number }) {
  const ref = useRef<HTMLDivElement>(null);
  const [turn, again] = useState(0); // the colours changed
  useEffect(() => {
    const scheme = matchMedia("(prefers-color-scheme: dark)"), changed = () => again((n) => n + 1);
    const theme = new MutationObserver(changed);
    scheme.addEventListener("change", changed);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => { scheme.removeEventListener("change", changed); theme.disconnect(); };
  }, []);
  useEffect(() => {
    const box = ref.current!;
    const colour = (name: string) => {
      const probe = document.createElement("span");
      probe.style.color = `var(${name})`;
      box.append(probe);
      const value = getComputedStyle(probe).color;
      probe.remove();
      return value;
    };
    const axis = { stroke: colour("--text"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };
    const size = () => ({ width: Math.max(240, box.clientWidth), height: 220 });
    const plot = new uPlot({
      ...size(), legend: { live: false }, cursor: { show: false }, axes: [axis, { ...axis, size: 56 }], scales: { x: { range: () => [from, to] }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
      series: [{}, ...lines.map(([label, name]) => ({ label, stroke: colour(name), width: 2, points: { show: data[0].length < 60 } }))],
    }, data, box);
    const resized = new ResizeObserver(() => plot.setSize(size()));
    resized.observe(box);
    return () => { resized.disconnect(); plot.destroy(); };
  }, [data, turn]);
  return <div ref={ref} class="chart" aria-hidden="true" />;
}
