import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import type { Event, EventDetail, List, Preview } from "../api/types";
import { portal } from "../session";
import { t } from "../words";
import { One } from "./attempts";
import { Field, Trouble } from "./basics";
import { useAction } from "./hooks";
import { published } from "./lately";
import { Rendered } from "./rendered";

const sample = '{\n  "type": "order.paid",\n  "subject": "user-1",\n  "data": { "amount": 42.50 }\n}';

// latestEvent is the newest event as one would publish it, or a sample.
export async function latestEvent(): Promise<string> {
  if (portal) return sample;
  const { data } = await get<List<Event>>(tenantPath("events"), { limit: 50 });
  const e = published(data)[0];
  if (!e) return sample;
  const whole = await get<EventDetail>(tenantPath("events", e.id), { source: e.source });
  const { type, subject, data: d } = whole;
  return JSON.stringify({ type, ...(subject === null ? {} : { subject }), data: d ?? null }, null, 2);
}

// TestSend makes one request now and shows it with its answer. Nothing is stored.
export function TestSend({ id }: { id: string }) {
  const [event, setEvent] = useState<string | null>(null);
  const [result, set] = useState<Preview | null>(null);
  const action = useAction();
  const open = (e: globalThis.Event) => {
    if ((e.currentTarget as HTMLDetailsElement).open && event === null) latestEvent().then(setEvent, () => setEvent(sample));
  };
  const send = () => action.run(async () => set(await call<Preview>("POST", tenantPath("subscriptions", id, "test"), `{"event":${event}}`)));
  return (
    <details class="section" onToggle={open}>
      <summary>{t("test")}</summary>
      <p>{t("test.about")}</p>
      <Field label={t("test.event")}><textarea rows={8} spellcheck={false} value={event ?? ""} onInput={(e) => setEvent(e.currentTarget.value)} /></Field>
      <div class="actions"><button type="button" class="main" disabled={action.busy || event === null} onClick={() => void send()}>{t("test.send")}</button></div>
      {action.error && <Trouble error={action.error} />}
      {result && <Rendered of={result} />}
      {result?.attempt && <One of={result.attempt} />}
    </details>
  );
}
