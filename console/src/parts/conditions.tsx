import { useState } from "preact/hooks";
import { t, type Name } from "../words";

// Condition is one line of a filter: what is at a path, compared with a value.
export type Condition = { path: string; op: Op; value: string };

const ops = { is: "op.is", not: "op.not", more: "op.more", least: "op.least", less: "op.less", most: "op.most", begins: "op.begins", ends: "op.ends", exists: "op.exists", absent: "op.absent" } as const satisfies Record<string, Name>;
export type Op = keyof typeof ops;
const numeric: Record<string, Op> = { ">": "more", ">=": "least", "<": "less", "<=": "most" };
const numericOf: Partial<Record<Op, string>> = { more: ">", least: ">=", less: "<", most: "<=" };

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// values reads what people write, "gold, 5, true", as JSON: numbers and words each as what they look like.
const values = (text: string): Json[] => text.split(",").map((s) => s.trim()).filter((s) => s !== "").map((s) => {
  try {
    return JSON.parse(s) as Json;
  } catch {
    return s;
  }
});
const written = (v: Json) => (typeof v === "string" && values(v)[0] === v && !v.includes(",") ? v : JSON.stringify(v));

// patternOf makes the filter of the conditions, all of which must hold.
export function patternOf(conditions: Condition[]): Json {
  const root: { [name: string]: Json } = {};
  for (const { path, op, value } of conditions.filter(complete)) {
    const names = path.split(".").filter((s) => s !== "");
    const last = names.pop();
    if (last === undefined) continue;
    let at = root;
    for (const name of names) at = (at[name] ??= {}) as typeof root;
    at[last] = rule(op, value);
  }
  return Object.keys(root).length === 0 ? null : root;
}

// complete reports whether a condition says enough; one that somebody still writes does not.
function complete({ op, value }: Condition): boolean {
  if (op === "exists" || op === "absent") return true;
  return value.trim() !== "" && !(numericOf[op] && Number.isNaN(Number(value))) && (op === "begins" || op === "ends" || values(value).length > 0);
}

function rule(op: Op, value: string): Json[] {
  const sign = numericOf[op];
  if (sign) return [{ numeric: [sign, Number(value)] }];
  switch (op) {
    case "not": return [{ "anything-but": values(value) }];
    case "begins": return [{ prefix: value }];
    case "ends": return [{ suffix: value }];
    case "exists": return [{ exists: true }];
    case "absent": return [{ exists: false }];
    default: return values(value);
  }
}

// conditionsOf reads a filter as conditions; null if it says more than they can.
export function conditionsOf(filter: Json, before: string[] = []): Condition[] | null {
  if (filter === null || filter === undefined) return [];
  if (typeof filter !== "object") return null;
  const found: Condition[] = [];
  for (const [name, inner] of Object.entries(filter)) {
    if (name === "$or" || name.includes(".")) return null;
    const path = [...before, name];
    const more = Array.isArray(inner) ? leaf(path.join("."), inner) : conditionsOf(inner, path);
    if (more === null) return null;
    found.push(...(Array.isArray(more) ? more : [more]));
  }
  return found;
}

function leaf(path: string, list: Json[]): Condition | null {
  if (list.every((v) => v === null || typeof v !== "object")) return { path, op: "is", value: list.map(written).join(", ") };
  const only = list[0];
  if (list.length !== 1 || only === null || typeof only !== "object" || Array.isArray(only)) return null;
  const [[kind, v]] = Object.entries(only) as [[string, Json]];
  if (kind === "numeric" && Array.isArray(v) && v.length === 2 && numeric[String(v[0])]) return { path, op: numeric[String(v[0])]!, value: String(v[1]) };
  if (kind === "prefix" && typeof v === "string") return { path, op: "begins", value: v };
  if (kind === "suffix" && typeof v === "string") return { path, op: "ends", value: v };
  if (kind === "exists") return { path, op: v ? "exists" : "absent", value: "" };
  if (kind !== "anything-but" || (typeof v === "object" && !Array.isArray(v))) return null;
  return { path, op: "not", value: (Array.isArray(v) ? v : [v]).map(written).join(", ") };
}

// Filter edits a pattern as conditions, if they can say it.
export function Filter({ filter, fields, change }: { filter: unknown; fields: string[]; change: (filter: unknown) => void }) {
  const said = conditionsOf((filter ?? null) as Json);
  const [conditions, set] = useState<Condition[]>(said ?? []);
  if (said === null) return <p class="notice">{t("condition.complex")}</p>;
  return <Conditions conditions={conditions} fields={fields} change={(next) => { set(next); change(patternOf(next) ?? undefined); }} />;
}

type Props = { conditions: Condition[]; fields: string[]; change: (c: Condition[]) => void };

export function Conditions({ conditions, fields, change }: Props) {
  const set = (i: number, part: Partial<Condition>) => change(conditions.map((c, n) => (n === i ? { ...c, ...part } : c)));
  return (
    <div class="conditions">
      <datalist id="fields">{fields.map((f) => <option key={f} value={f} />)}</datalist>
      {conditions.map((c, i) => (
        <div class="condition" key={i} role="group" aria-label={t("condition.number", { n: i + 1 })}>
          <input list="fields" aria-label={t("condition.field")} placeholder="data.amount" value={c.path} onInput={(e) => set(i, { path: e.currentTarget.value.trim() })} />
          <select aria-label={t("condition.op")} value={c.op} onChange={(e) => set(i, { op: e.currentTarget.value as Op })}>
            {Object.entries(ops).map(([op, name]) => <option key={op} value={op}>{t(name)}</option>)}
          </select>
          {c.op !== "exists" && c.op !== "absent" && <input aria-label={t("condition.value")} value={c.value} onInput={(e) => set(i, { value: e.currentTarget.value })} />}
          <button type="button" class="small" aria-label={t("condition.remove", { n: i + 1 })} onClick={() => change(conditions.filter((_, n) => n !== i))}>×</button>
        </div>
      ))}
      <button type="button" onClick={() => change([...conditions, { path: fields[0] ?? "data.", op: "is", value: "" }])}>{t("condition.add")}</button>
    </div>
  );
}
