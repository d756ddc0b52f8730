import { call, get, tenantPath } from "../api/client";
import type { Job } from "../api/types";
import { Badge, Facts, Heading, Loading, Time, Trouble } from "../parts/basics";
import { Ask } from "../parts/confirm";
import { useEvery, useLoaded } from "../parts/hooks";
import { type Column, Listing } from "../parts/list";
import { JobProgress } from "../parts/recover";
import { link } from "../router";
import { count, said, t } from "../words";

const columns: Column<Job>[] = [
  { title: "col.job", show: (j) => <a href={link("jobs", j.id)}>{said("job.kind", j.kind)}{j.dry_run && ` (${t("job.dry")})`}</a>, wide: true },
  { title: "col.subscription", show: (j) => j.subscription ?? "–" },
  { title: "col.status", show: (j) => <Badge of={j.status} /> },
  { title: "col.count", show: (j) => `${count(j.counts.sent + j.counts.removed)} / ${count(j.counts.matched)}` },
  { title: "col.time", show: (j) => <Time at={j.created_at} /> },
];

export function Jobs() {
  return (
    <>
      <Heading title={t("nav.jobs")} />
      <Listing path={tenantPath("jobs")} columns={columns} id={(j) => j.id} label={t("nav.jobs")} empty={t("jobs.none")} />
    </>
  );
}

export function JobPage({ id }: { id: string }) {
  const loaded = useLoaded(() => get<Job>(tenantPath("jobs", id)), [id]);
  const j = loaded.data;
  useEvery(1000, j?.status === "running", loaded.reload);
  if (!j) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  return (
    <>
      <Heading kind={t("job")} title={<>{said("job.kind", j.kind)} <Badge of={j.status} /></>}>
        {j.kind === "send" && <Ask label={t("job.stop")} danger disabled={j.status !== "running"} says={<p>{t("job.stop.says")}</p>} act={() => call("POST", tenantPath("jobs", id, "stop"))} done={loaded.reload} />}
      </Heading>
      <JobProgress job={j} />
      <Facts of={[
        [t("col.id"), <code>{j.id}</code>],
        [t("col.subscription"), j.subscription === null ? "–" : <a href={link("subscriptions", j.subscription)}>{j.subscription}</a>],
        [t("job.range"), <><Time at={j.after} /> – <Time at={j.before} /></>],
        [t("job.detail"), j.detail ?? "–"],
        [t("delivery.created"), <Time at={j.created_at} />],
        [t("delivery.ended"), <Time at={j.ended_at} />],
      ]} />
    </>
  );
}
