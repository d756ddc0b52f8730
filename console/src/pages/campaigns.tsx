import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import { pretty } from "../api/json";
import type { Campaign, List, Results, Subscription } from "../api/types";
import { Badge, Field, Heading, Loading, Text, Time, Trouble } from "../parts/basics";
import { Filter } from "../parts/conditions";
import { Ask } from "../parts/confirm";
import { useAction, useLoaded } from "../parts/hooks";
import { type Column, Listing } from "../parts/list";
import { go, link } from "../router";
import { count, said, t } from "../words";
import { useProfileFields } from "./segment";

const columns: Column<Campaign>[] = [
  { title: "col.campaign", show: (c) => <><a href={link("campaigns", c.id)}>{c.name || c.id}</a><span class="under">{c.id}</span></>, wide: true },
  { title: "col.state", show: (c) => <Badge of={c.state} /> },
  { title: "campaign.tags", show: (c) => c.tags.join(", ") || "–" },
  { title: "campaign.holdout", show: (c) => (c.holdout === null ? "–" : `${c.holdout} %`) },
  { title: "col.changed", show: (c) => <Time at={c.updated_at} /> },
];

export function Campaigns() {
  return (
    <>
      <Heading title={t("nav.campaigns")}><a class="button main" href={link("new", "campaign")}>{t("campaign.add")}</a></Heading>
      <p>{t("campaigns.about")}</p>
      <Listing path={tenantPath("campaigns")} columns={columns} id={(c) => c.id} label={t("nav.campaigns")} empty={t("campaigns.none")} />
    </>
  );
}

type Cap = { max: number; per: string };
type Goal = { types?: string[]; within?: string };
type Draft = Partial<Omit<Campaign, "cap" | "goal" | "audience">> & { id: string; cap?: Cap | null; goal?: Goal | null; audience?: unknown };

export const NewCampaign = () => <Build begin={{ id: "", state: "draft" }} />;

export function CampaignPage({ id }: { id: string }) {
  const loaded = useLoaded(() => get<Campaign>(tenantPath("campaigns", id)), [id]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  return <Build key={loaded.data.updated_at} begin={loaded.data as unknown as Draft} saved={loaded.data} reload={loaded.reload} />;
}

function Build({ begin, saved, reload }: { begin: Draft; saved?: Campaign; reload?: () => void }) {
  const [draft, setDraft] = useState<Draft>(begin);
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const fields = useProfileFields();
  const action = useAction();
  const save = () => action.run(async () => {
    const { id, ...rest } = draft;
    await call("PUT", tenantPath("campaigns", id), rest);
    if (saved) reload?.();
    else go("campaigns", id);
  });
  const { cap, goal } = draft;
  const states = ["draft", "live", "stopped"] as const;
  return (
    <>
      <Heading kind={saved && t("col.campaign")} title={saved ? <>{saved.name || saved.id} <Badge of={saved.state} /></> : t("campaign.add")}>
        {saved && <Ask label={t("delete")} danger says={<p>{t("campaign.delete.says", { id: saved.id })}</p>} act={() => call("DELETE", tenantPath("campaigns", saved.id))} done={() => go("campaigns")} />}
        <button type="button" class="main" disabled={action.busy || draft.id === ""} onClick={() => void save()}>{t("save")}</button>
      </Heading>
      {action.error && <Trouble error={action.error} />}
      <form class="build" onSubmit={(e) => e.preventDefault()}>
        <fieldset>
          <legend>{t("col.campaign")}</legend>
          <div class="pair">
            <Field label={t("col.name")}><input maxLength={200} value={draft.name ?? ""} onInput={(e) => set({ name: e.currentTarget.value })} /></Field>
            {!saved && <Field label={t("col.id")} hint={t("id.hint")}><input value={draft.id} onInput={(e) => set({ id: e.currentTarget.value.trim() })} /></Field>}
            <Field label={t("col.state")} hint={t(`campaign.state.${draft.state ?? "draft"}`)}><select value={draft.state} onChange={(e) => set({ state: e.currentTarget.value as Campaign["state"] })}>{states.map((s) => <option key={s} value={s}>{said("status", s)}</option>)}</select></Field>
          </div>
        </fieldset>
        <fieldset>
          <legend>{t("campaign.audience")}</legend>
          <p class="quiet">{t("campaign.audience.says")}</p>
          {fields.data && <Filter filter={draft.audience} fields={fields.data.length > 0 ? fields.data : ["profile.consent"]} change={(audience) => set({ audience: audience ?? null })} />}
          <div class="filters">
            <Field label={t("campaign.holdout")} hint={t("campaign.holdout.says")}><input type="number" min={0} max={50} value={draft.holdout ?? ""} onInput={(e) => set({ holdout: e.currentTarget.value === "" ? null : Number(e.currentTarget.value) })} /></Field>
          </div>
        </fieldset>
        <fieldset>
          <legend>{t("campaign.limits")}</legend>
          <p class="blanks">
            {t("campaign.atmost")}
            <input type="number" min={1} aria-label={t("campaign.max")} value={cap?.max ?? ""} onInput={(e) => set({ cap: e.currentTarget.value === "" ? null : { max: Number(e.currentTarget.value), per: cap?.per ?? "7d" } })} />
            {t("blank.per")}
            <input class="brief" aria-label={t("campaign.per")} placeholder="7d" disabled={!cap} value={cap?.per ?? ""} onInput={(e) => set({ cap: { max: cap?.max ?? 1, per: e.currentTarget.value.trim() } })} />
            {t("campaign.each")}
          </p>
          <div class="pair">
            <Field label={t("campaign.goal")} hint={t("campaign.goal.says")}><input placeholder="order.paid" value={(goal?.types ?? []).join(", ")} onChange={(e) => { const types = e.currentTarget.value.split(",").map((s) => s.trim()).filter((s) => s !== ""); set({ goal: types.length > 0 ? { ...goal, types, within: goal?.within ?? "7d" } : null }); }} /></Field>
            {goal && <Field label={t("campaign.within")}><input value={goal.within ?? ""} onInput={(e) => set({ goal: { ...goal, within: e.currentTarget.value.trim() } })} /></Field>}
          </div>
        </fieldset>
      </form>
      {saved && <Shown id={saved.id} />}
      {saved && <details class="section"><summary>{t("json")}</summary><Text label={t("json")}>{pretty(JSON.stringify(saved))}</Text></details>}
    </>
  );
}

// Shown is what a campaign led to, and the subscriptions that are part of it.
function Shown({ id }: { id: string }) {
  const loaded = useLoaded(async () => {
    const [results, subscriptions] = await Promise.all([get<Results>(tenantPath("campaigns", id, "results")), get<List<Subscription>>(tenantPath("subscriptions"), { limit: 250, order: "asc" })]);
    return { results, subscriptions: subscriptions.data.filter((s) => s.campaign === id) };
  }, [id]);
  if (!loaded.data) return loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />;
  const { total, lift } = loaded.data.results;
  const tiles: [string, number][] = [["campaign.matched", total.matched], ["campaign.sent", total.sent], ["campaign.succeeded", total.succeeded], ["campaign.heldout", total.held_out], ["campaign.converted", total.converted.sent]].map(([name, n]) => [t(name as "campaign.sent"), n as number]);
  const skipped = Object.entries(total.skipped).filter(([, n]) => n > 0);
  return (
    <section aria-label={t("campaign.results")}>
      <h2>{t("campaign.results")}</h2>
      <dl class="tiles">{tiles.map(([name, n]) => <div key={name}><dt>{name}</dt><dd>{count(n)}</dd></div>)}</dl>
      {skipped.length > 0 && <p>{t("campaign.skipped")} {skipped.map(([reason, n]) => `${said("reason", reason)}: ${count(n)}`).join(" · ")}</p>}
      {lift && <p>{t("campaign.lift", { sent: percent(lift.rate_sent), out: percent(lift.rate_held_out) })}</p>}
      <h3>{t("campaign.subscriptions")}</h3>
      {loaded.data.subscriptions.length === 0 ? <p class="quiet">{t("campaign.empty")}</p> : <ul>{loaded.data.subscriptions.map((s) => <li key={s.id}><a href={link("subscriptions", s.id)}>{s.name || s.id}</a></li>)}</ul>}
    </section>
  );
}

const percent = (n: number) => `${count(Math.round(n * 1000) / 10)} %`;
