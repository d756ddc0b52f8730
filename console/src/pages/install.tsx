import { useState } from "preact/hooks";
import { call, get, Refusal, tenantPath } from "../api/client";
import type { List, NamedSecret } from "../api/types";
import { Empty, Field, Heading, Loading, Trouble } from "../parts/basics";
import { recipeOf, type Recipe } from "../parts/gallery";
import { useAction, useLoaded } from "../parts/hooks";
import { go, link } from "../router";
import { count, t } from "../words";

const originOf = (url: string) => /^[a-z]+:\/\/[^/]*/.exec(url)?.[0] ?? url;

// Install sets up a recipe of several subscriptions: where they go, with which credentials.
export function Install({ id }: { id: string }) {
  const recipe = recipeOf(id);
  const secrets = useLoaded(() => get<List<NamedSecret>>(tenantPath("secrets"), { limit: 250 }), []);
  if (!recipe) return <Empty>{t("nothing.here")}</Empty>;
  if (!secrets.data) return secrets.error ? <Trouble error={secrets.error} retry={secrets.reload} /> : <Loading />;
  return <Build recipe={recipe} missing={recipe.secrets.filter((name) => !secrets.data!.data.some((s) => s.name === name))} />;
}

function Build({ recipe, missing }: { recipe: Recipe; missing: string[] }) {
  const origins = [...new Set(recipe.subscriptions.flatMap((s) => (s.url ? [originOf(s.url)] : [])))];
  const [to, setTo] = useState<Record<string, string>>(Object.fromEntries(origins.map((o) => [o, o])));
  const [values, setValues] = useState<Record<string, string>>({});
  const [chosen, choose] = useState<string[]>(recipe.subscriptions.map((s) => s.id));
  const action = useAction();
  const install = (state: "active" | "paused") => action.run(async () => {
    for (const name of missing) if (values[name]) await call("PUT", tenantPath("secrets", name), { value: values[name] });
    for (const step of recipe.setup) {
      const [method = "", path = ""] = step.call.split(" ", 2);
      await call(method, tenantPath() + path, step.body);
    }
    for (const s of recipe.subscriptions.filter((x) => chosen.includes(x.id))) {
      const url = s.url && to[originOf(s.url)]! + s.url.slice(originOf(s.url).length);
      await call("POST", tenantPath("subscriptions"), { ...s, ...(url ? { url } : {}), state }).catch((e: unknown) => {
        if (!(e instanceof Refusal) || e.status !== 409) throw e; // it is there already: a second click goes on with the rest
      });
    }
    go("subscriptions");
  });
  const toggle = (id: string) => choose(chosen.includes(id) ? chosen.filter((x) => x !== id) : [...chosen, id]);
  return (
    <>
      <Heading title={recipe.title}>
        <a class="button" href={link("create")}>{t("back")}</a>
        <button type="button" disabled={action.busy || chosen.length === 0} onClick={() => void install("paused")}>{t("create.paused")}</button>
        <button type="button" class="main" disabled={action.busy || chosen.length === 0} onClick={() => void install("active")}>{t("install.all", { n: count(chosen.length) })}</button>
      </Heading>
      <p class="lead">{recipe.about}</p>
      {action.error && <Trouble error={action.error} />}
      <form class="build" onSubmit={(e) => e.preventDefault()}>
        <div class="pair">
          <fieldset>
            <legend>{t("install.where")}</legend>
            {origins.map((o) => <Field key={o} label={t("install.instead", { origin: o })}><input inputMode="url" value={to[o]} onInput={(e) => setTo({ ...to, [o]: e.currentTarget.value.trim().replace(/\/$/, "") })} /></Field>)}
            {missing.map((name) => <Field key={name} label={t("install.secret", { name })} hint={t("install.secret.hint")}><input type="password" autoComplete="off" value={values[name] ?? ""} onInput={(e) => setValues({ ...values, [name]: e.currentTarget.value })} /></Field>)}
          </fieldset>
          <fieldset>
            <legend>{t("nav.subscriptions")}</legend>
            {recipe.setup.length > 0 && <p class="quiet">{t("install.setup")} {recipe.setup.map((s) => <code key={s.call}>{s.call} </code>)}</p>}
            {recipe.subscriptions.map((s) => <div key={s.id}><label class="check"><input type="checkbox" checked={chosen.includes(s.id)} onChange={() => toggle(s.id)} />{s.name || s.id}</label></div>)}
          </fieldset>
        </div>
      </form>
    </>
  );
}
