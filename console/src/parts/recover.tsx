import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import type { Job } from "../api/types";
import { link } from "../router";
import { count, t } from "../words";
import { Field, Trouble } from "./basics";
import { useAction, useEvery } from "./hooks";

const ranges: [string, number][] = [["range.hour", 1], ["range.day", 24], ["range.week", 24 * 7], ["range.month", 24 * 30]];

// Recover sends what failed again: first it counts, then it asks, then it shows the progress.
export function Recover({ id }: { id: string }) {
  const [hours, setHours] = useState(24);
  const [of, setOf] = useState("exhausted");
  const [job, setJob] = useState<Job | null>(null);
  const action = useAction();
  const start = (dry: boolean) => action.run(async () => {
    const after = new Date(Date.now() - hours * 3_600_000).toISOString();
    setJob(await call<Job>("POST", tenantPath("subscriptions", id, "recover"), { after, status: of, dry_run: dry }));
  });
  const running = job?.status === "running";
  useEvery(700, running, () => void get<Job>(tenantPath("jobs", job!.id)).then(setJob, () => undefined));
  const counted = job !== null && job.dry_run && !running;
  return (
    <section aria-label={t("recover")}>
      <h2>{t("recover")}</h2>
      <p>{t("recover.about")}</p>
      <div class="filters">
        <Field label={t("recover.range")}>
          <select value={hours} disabled={running} onChange={(e) => { setHours(Number(e.currentTarget.value)); setJob(null); }}>
            {ranges.map(([name, n]) => <option key={n} value={n}>{t(name as "range.hour")}</option>)}
          </select>
        </Field>
        <Field label={t("recover.of")}>
          <select value={of} disabled={running} onChange={(e) => { setOf(e.currentTarget.value); setJob(null); }}>
            <option value="exhausted">{t("recover.exhausted")}</option><option value="canceled">{t("recover.canceled")}</option>
          </select>
        </Field>
        <button type="button" disabled={running || action.busy} onClick={() => void start(true)}>{t("recover.count")}</button>
      </div>
      {action.error && <Trouble error={action.error} />}
      {job && <JobProgress job={job} />}
      {counted && job.counts.matched > 0 && (
        <p><button type="button" class="main" disabled={action.busy} onClick={() => void start(false)}>{t("recover.send", { n: count(job.counts.matched) })}</button></p>
      )}
    </section>
  );
}

export function JobProgress({ job }: { job: Job }) {
  const says = job.dry_run
    ? t("job.counted", { n: count(job.counts.matched) })
    : t("job.sent", { sent: count(job.counts.sent), of: count(job.counts.matched), skipped: count(job.counts.skipped) });
  return (
    <div class="progress" role="status">
      <progress max={1} value={job.status === "running" ? job.progress ?? 0 : 1} aria-label={t("job.progress")} />
      <p>{says} <a href={link("jobs", job.id)}>{t("job.open")}</a></p>
    </div>
  );
}
