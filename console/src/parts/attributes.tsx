import { t } from "../words";

// Row is an attribute that somebody writes: its value as JSON, or as plain text.
export type Row = { name: string; value: string };

const written = (v: unknown) => (typeof v === "string" && valueOf(v) === v ? v : JSON.stringify(v));

// valueOf reads 5, true and "text" as what they look like, and anything else as text.
export function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export const rowsOf = (attributes: Record<string, unknown>): Row[] => Object.entries(attributes).map(([name, v]) => ({ name, value: written(v) }));

export const attributesOf = (rows: Row[]): Record<string, unknown> => Object.fromEntries(rows.filter((r) => r.name.trim() !== "").map((r) => [r.name.trim(), valueOf(r.value.trim())]));

// Attributes edits what is known of somebody, a line for each.
export function Attributes({ rows, change }: { rows: Row[]; change: (rows: Row[]) => void }) {
  const set = (i: number, part: Partial<Row>) => change(rows.map((r, n) => (n === i ? { ...r, ...part } : r)));
  return (
    <div class="conditions">
      {rows.map((r, i) => (
        <div class="condition two" key={i} role="group" aria-label={t("attribute.number", { n: i + 1 })}>
          <input aria-label={t("attribute.name")} placeholder="plan" value={r.name} onInput={(e) => set(i, { name: e.currentTarget.value })} />
          <input aria-label={t("attribute.value")} placeholder="gold" value={r.value} onInput={(e) => set(i, { value: e.currentTarget.value })} />
          <button type="button" class="small" aria-label={t("attribute.remove", { n: i + 1 })} onClick={() => change(rows.filter((_, n) => n !== i))}>×</button>
        </div>
      ))}
      <button type="button" onClick={() => change([...rows, { name: "", value: "" }])}>{t("attribute.add")}</button>
    </div>
  );
}
