import { get, tenantPath } from "../api/client";
import type { Event, List } from "../api/types";
import { portal } from "../session";
import { count, t } from "../words";
import { useLoaded } from "./hooks";

const looked = 250; // of the newest events

// useLately is what arrived lately: the newest events, which nobody loads in the portal.
// Those that Postino publishes itself cannot be published, nor previewed.
export const useLately = () => useLoaded<Event[]>(async () => (portal ? [] : published((await get<List<Event>>(tenantPath("events"), { limit: looked })).data)), []);

export const published = (events: Event[]) => events.filter((e) => !e.type.startsWith("postino."));

// fieldsOf names the fields of an event's data, as filters and templates write them.
export function fieldsOf(value: unknown, path = "data", depth = 0): string[] {
  if (value === null || typeof value !== "object" || Array.isArray(value) || depth > 5) return [path];
  return Object.entries(value).flatMap(([name, v]) => fieldsOf(v, `${path}.${name}`, depth + 1)).slice(0, 200);
}

// Picker chooses types among those that arrived lately.
export function Picker({ events, types, change }: { events: Event[]; types: string[]; change: (types: string[]) => void }) {
  const seen = new Map<string, number>();
  for (const e of events) seen.set(e.type, (seen.get(e.type) ?? 0) + 1);
  if (seen.size === 0) return null;
  const toggle = (type: string) => change(types.includes(type) ? types.filter((x) => x !== type) : [...types, type]);
  return (
    <div class="chips" role="group" aria-label={t("create.lately")}>
      {[...seen].sort((a, b) => b[1] - a[1]).slice(0, 30).map(([type, n]) => (
        <button type="button" key={type} class="chip" aria-pressed={types.includes(type)} onClick={() => toggle(type)}>{type} <small>{count(n)}</small></button>
      ))}
    </div>
  );
}
