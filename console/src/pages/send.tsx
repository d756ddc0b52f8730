import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import type { Job, List, Segment, Subscription } from "../api/types";
import { Empty, Field, Heading, Loading, Trouble } from "../parts/basics";
import { useAction, useEvery, useLoaded } from "../parts/hooks";
import { JobProgress } from "../parts/recover";
import { go, link, type Route } from "../router";
import { count, t } from "../words";

const sendType = "postino.send";

async function choices() {
  const [subscriptions, segments] = await Promise.all([
    get<List<Subscription>>(tenantPath("subscriptions"), { limit: 250, order: "asc" }),
    get<List<Segment>>(tenantPath("segments")),
  ]);
  return { subscriptions: subscriptions.data.filter((s) => s.types?.includes(sendType)), segments: segments.data };
}

// Send starts a send to a group: first it counts whom it would reach, then it asks.
export function Send({ route }: { route: Route }) {
  const loaded = useLoaded(choices, []);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const { subscriptions, segments } = loaded.data;
  return (
    <>
      <Heading title={t("send.to")} />
      <p class="lead">{t("send.about")}</p>
      {subscriptions.length === 0
        ? <Empty><p>{t("send.nobody")}</p><p><a class="button" href={link("create")}>{t("create")}</a></p></Empty>
        : <Build subscriptions={subscriptions} segments={segments} segment={route.query.get("segment") ?? ""} />}
    </>
  );
}

function Build({ subscriptions, segments, segment }: { subscriptions: Subscription[]; segments: Segment[]; segment: string }) {
  const [to, setTo] = useState(segment || segments[0]?.id || "");
  const [subjects, setSubjects] = useState("");
  const [subscription, setSubscription] = useState(subscriptions[0]!.id);
  const [data, setData] = useState("");
  const [rate, setRate] = useState("");
  const [at, setAt] = useState("");
  const [counted, setCounted] = useState<Job | null>(null);
  const action = useAction();
  const changed = <T,>(set: (v: T) => void) => (v: T) => { setCounted(null); set(v); };
  const running = counted?.status === "running";
  useEvery(700, running, () => void get<Job>(tenantPath("jobs", counted!.id)).then(setCounted, () => undefined));
  const body = (dry: boolean) => {
    const who = to === "" ? { subjects: subjects.split(/[\s,]+/).filter((s) => s !== "") } : { segment: to };
    const rest = { subscription, ...who, ...(rate === "" ? {} : { rate: Number(rate) }), ...(at === "" || dry ? {} : { at: new Date(at).toISOString() }), dry_run: dry };
    return data.trim() === "" ? JSON.stringify(rest) : `${JSON.stringify(rest).slice(0, -1)},"data":${data}}`;
  };
  const start = (dry: boolean) => action.run(async () => {
    const job = await call<Job>("POST", tenantPath("sends"), body(dry));
    if (dry) setCounted(job);
    else go("jobs", job.id);
  });
  return (
    <form class="build" onSubmit={(e) => e.preventDefault()}>
      <fieldset>
        <legend>{t("send.whom")}</legend>
        <Field label={t("col.segment")}>
          <select value={to} onChange={(e) => changed(setTo)(e.currentTarget.value)}>
            {segments.map((s) => <option key={s.id} value={s.id}>{s.name || s.id}</option>)}
            <option value="">{t("send.these")}</option>
          </select>
        </Field>
        {to === "" && <Field label={t("send.subjects")} hint={t("send.subjects.hint")}><textarea rows={4} value={subjects} onInput={(e) => changed(setSubjects)(e.currentTarget.value)} /></Field>}
      </fieldset>
      <fieldset>
        <legend>{t("send.what")}</legend>
        <Field label={t("col.subscription")}>
          <select value={subscription} onChange={(e) => changed(setSubscription)(e.currentTarget.value)}>{subscriptions.map((s) => <option key={s.id} value={s.id}>{s.name || s.id}</option>)}</select>
        </Field>
        <Field label={t("data")} hint={t("send.data.hint")}><textarea rows={4} spellcheck={false} placeholder={'{ "card": "spring" }'} value={data} onInput={(e) => changed(setData)(e.currentTarget.value)} /></Field>
        <div class="filters">
          <Field label={t("send.at")}><input type="datetime-local" value={at} onInput={(e) => setAt(e.currentTarget.value)} /></Field>
          <Field label={t("send.rate")}><input type="number" min={1} max={10000} value={rate} onInput={(e) => setRate(e.currentTarget.value)} /></Field>
        </div>
      </fieldset>
      {action.error && <Trouble error={action.error} />}
      {counted && <JobProgress job={counted} />}
      <div class="actions">
        <button type="button" disabled={action.busy || running} onClick={() => void start(true)}>{t("send.count")}</button>
        {counted && !running && counted.counts.matched > 0 && <button type="button" class="main" disabled={action.busy} onClick={() => void start(false)}>{t("send.now", { n: count(counted.counts.matched) })}</button>}
      </div>
    </form>
  );
}
