import { cloneElement, type ComponentChildren, type VNode } from "preact";
import { useId, useState } from "preact/hooks";
import type { Refusal } from "../api/client";
import { language, said, t } from "../words";

// Where the browser speaks a kind of the chosen language, such as en-GB, dates are written as there.
const spoken = navigator.languages.find((l) => l.startsWith(language)) ?? language;
const local = new Intl.DateTimeFormat(spoken, { dateStyle: "medium", timeStyle: "medium" });
const today = new Intl.DateTimeFormat(spoken, { timeStyle: "medium" });
const thisYear = new Intl.DateTimeFormat(spoken, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// Time shows a moment in the visitor's zone, as short as that is clear, with all of it and UTC at hand.
export function Time({ at, whole }: { at: string | null | undefined; whole?: boolean }) {
  if (!at) return <span class="quiet">–</span>;
  const moment = new Date(at), now = new Date();
  const written = whole || moment.getFullYear() !== now.getFullYear() ? local : moment.toDateString() === now.toDateString() ? today : thisYear;
  return <time dateTime={at} title={`${local.format(moment)} · ${at}`}>{written.format(moment)}</time>;
}

const tones: Record<string, string> = {
  succeeded: "good", active: "good", done: "good", exhausted: "bad", disabled: "bad", stopped: "bad",
  live: "good", draft: "quiet", pending: "busy", running: "busy", paused: "warn", canceled: "quiet",
};

// Badge shows a status by word, colour and shape.
export const Badge = ({ of }: { of: string }) => <span class={`badge ${tones[of] ?? "quiet"}`}>{said("status", of)}</span>;

export function Trouble({ error, retry }: { error: Refusal; retry?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <strong>{error.status === 0 ? t("trouble.offline") : error.passing ? t("trouble.passing") : t("trouble.refused")}</strong>
      {error.message && <p>{error.message}</p>}
      {error.faults.length > 0 && <ul>{error.faults.map((f) => <li key={f.field}><code>{f.field}</code> {f.detail}</li>)}</ul>}
      {retry && <button type="button" onClick={retry}>{t("retry.now")}</button>}
    </div>
  );
}

export const Loading = () => <p class="loading" role="status">{t("loading")}</p>;

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

// Copy copies a text that people carry elsewhere, such as an id.
export function Copy({ text }: { text: string }) {
  const [done, set] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => set(true), () => set(false));
  return <button type="button" class="small" aria-label={t("copy.what", { text })} onClick={copy}>{done ? t("copied") : t("copy")}</button>;
}

export function Facts({ of }: { of: [string, ComponentChildren][] }) {
  return <dl class="facts">{of.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

// Text shows a text of several lines as it is.
export function Text({ children, label }: { children: string; label: string }) {
  return <pre tabIndex={0} role="group" aria-label={label}>{children}</pre>;
}

// Field is a control with its label. The hint describes the control, and is not a part of its name.
export function Field({ label, hint, children }: { label: string; hint?: string; children: VNode }) {
  const id = useId();
  return (
    <div class="field">
      <label><span>{label}</span>{hint ? cloneElement(children, { "aria-describedby": id }) : children}</label>
      {hint && <small id={id}>{hint}</small>}
    </div>
  );
}

export function Heading({ title, children, kind }: { title: ComponentChildren; children?: ComponentChildren; kind?: string }) {
  return (
    <header class="heading">
      <div>{kind && <p class="kind">{kind}</p>}<h1 tabIndex={-1}>{title}</h1></div>
      <div class="actions">{children}</div>
    </header>
  );
}
