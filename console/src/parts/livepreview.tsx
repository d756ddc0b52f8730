import { useEffect, useState } from "preact/hooks";
import { call, callText, Refusal, tenantPath, withQuery } from "../api/client";
import { member, pretty } from "../api/json";
import type { Event, Preview } from "../api/types";
import { t } from "../words";
import { Field, Trouble } from "./basics";
import { refusalOf } from "./hooks";
import { Rendered } from "./rendered";

const pause = 400; // milliseconds after the last key

const sample = '{\n  "type": "order.paid",\n  "subject": "user-1",\n  "data": { "order": "1001", "amount": 42.50 }\n}';

// asPublished writes an event that arrived as one would publish it, with its data as it came.
async function asPublished(e: Event): Promise<string> {
  const data = member(await callText("GET", withQuery(tenantPath("events", e.id), { source: e.source })), "data");
  const head = JSON.stringify({ type: e.type, ...(e.subject === null ? {} : { subject: e.subject }) });
  return pretty(`${head.slice(0, -1)},"data":${data || "null"}}`);
}

type Props = { subscription: string; ready: boolean; events: Event[]; fields: (eventText: string) => void };

// LivePreview shows the request that a real event would lead to, as one writes.
export function LivePreview({ subscription, ready, events, fields }: Props) {
  const [chosen, choose] = useState(0);
  const [event, setEvent] = useState("");
  const [shown, set] = useState<{ preview?: Preview; error?: Refusal }>({});
  const which = events[chosen];
  useEffect(() => {
    if (which === undefined) setEvent(sample);
    else asPublished(which).then(setEvent, () => setEvent(sample));
  }, [which?.id]);
  useEffect(() => {
    if (event === "") return;
    fields(event);
    if (!ready) return;
    let current = true;
    const timer = setTimeout(() => {
      call<Preview>("POST", tenantPath("preview"), `{"event":${event},"subscription":${subscription}}`).then(
        (preview) => current && set({ preview }),
        (e: unknown) => current && set({ error: refusalOf(e) }),
      );
    }, pause);
    return () => { current = false; clearTimeout(timer); };
  }, [event, subscription, ready]);
  return (
    <aside class="preview" aria-label={t("preview")}>
      <h2>{t("preview")}</h2>
      {events.length > 0 && (
        <Field label={t("preview.choose")}>
          <select value={chosen} onChange={(e) => choose(Number(e.currentTarget.value))}>
            {events.slice(0, 50).map((e, i) => <option key={e.source + e.id} value={i}>{e.type} · {e.subject ?? e.id}</option>)}
          </select>
        </Field>
      )}
      <Field label={t("test.event")}><textarea rows={7} spellcheck={false} value={event} onInput={(e) => setEvent(e.currentTarget.value)} /></Field>
      {!ready && <p class="quiet">{t("preview.notready")}</p>}
      {shown.error && <Trouble error={shown.error} />}
      {shown.preview && <Rendered of={shown.preview} />}
    </aside>
  );
}
