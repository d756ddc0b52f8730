import { useEffect, useState } from "preact/hooks";
import { call, Refusal } from "../api/client";
import type { List, Tenant } from "../api/types";
import { Field, Trouble } from "../parts/basics";
import { Dialog } from "../parts/confirm";
import { useAction } from "../parts/hooks";
import { Mark } from "../parts/icon";
import { type Credentials, fromAddress, portal, session } from "../session";
import { t } from "../words";

// A tenant's key ends with the name of its tenant.
const ownerOf = (key: string) => /^pk_[a-z2-7]{32}_([a-z0-9][a-z0-9_-]{0,63})$/.exec(key)?.[1];

// check asks the API whether a key opens what this page shows.
async function check(key: string, tenant: string): Promise<Credentials> {
  const owner = ownerOf(key);
  if (portal || owner !== undefined) {
    const own = owner ?? tenant;
    await call("GET", `/v1/tenants/${encodeURIComponent(own)}/${portal ? "subscriptions" : "secrets"}?limit=1`, undefined, key);
    return { key, tenant: own, admin: false };
  }
  const tenants = await call<List<Tenant>>("GET", "/v1/tenants?limit=1", undefined, key);
  const own = tenant || tenants.data[0]?.id;
  if (own === undefined) throw new Refusal(-1, "", t("signin.tenant.needed"));
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(own)) throw new Refusal(-1, "", t("signin.tenant.syntax"));
  return { key, tenant: own, admin: true };
}

// SignIn asks for a key. Again, when the key was refused meanwhile, it stands before the page, which keeps its forms.
export function SignIn({ again }: { again?: boolean }) {
  const [key, setKey] = useState("");
  const [tenant, setTenant] = useState(again ? session.tenant : "");
  const action = useAction();
  const enter = (k: string, own: string) => action.run(async () => session.signIn(await check(k.trim(), own.trim())));
  useEffect(() => {
    const brought = fromAddress();
    if (brought) void enter(brought.key, brought.tenant);
  }, []);
  const form = (
    <form class="signin" onSubmit={(e) => { e.preventDefault(); void enter(key, tenant); }}>
      <Field label={t("signin.key")} hint={portal ? t("signin.key.portal") : t("signin.key.hint")}>
        <input type="password" required autoComplete="off" spellcheck={false} value={key} onInput={(e) => setKey(e.currentTarget.value)} />
      </Field>
      {!portal && ownerOf(key.trim()) === undefined && (
        <Field label={t("signin.tenant")} hint={t("signin.tenant.hint")}>
          <input autoComplete="off" spellcheck={false} value={tenant} onInput={(e) => setTenant(e.currentTarget.value)} />
        </Field>
      )}
      {action.error && <Trouble error={action.error} />}
      <div class="actions">
        {again && <button type="button" onClick={() => session.signOut()}>{t("signout")}</button>}
        <button class="main" disabled={action.busy}>{t("signin")}</button>
      </div>
    </form>
  );
  if (again) return <Dialog title={t("signin.again")} close={() => session.signOut()}><p>{t("signin.again.says")}</p>{form}</Dialog>;
  return (
    <main class="door">
      <h1><Mark />{portal ? t("signin.title.portal") : t("signin.title")}</h1>
      <p>{t("signin.says")}</p>
      {form}
    </main>
  );
}
