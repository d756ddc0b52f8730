import { useState } from "preact/hooks";
import { call, tenantPath } from "../api/client";
import type { APIKey, EventType, NamedSecret, Tenant } from "../api/types";
import { Copy, Field, Heading, Time, Trouble } from "../parts/basics";
import { Ask, Dialog } from "../parts/confirm";
import { useAction } from "../parts/hooks";
import { type Column, Listing } from "../parts/list";
import { go, link } from "../router";
import { session } from "../session";
import { t } from "../words";

const typeColumns: Column<EventType>[] = [
  { title: "col.type", show: (e) => <a href={link("event-types", e.type)}>{e.type}</a>, wide: true },
  { title: "col.description", show: (e) => e.description || "–" },
  { title: "col.deprecated", show: (e) => (e.deprecated ? t("yes") : t("no")) },
  { title: "col.changed", show: (e) => <Time at={e.updated_at} /> },
];

export function EventTypes() {
  return (
    <>
      <Heading title={t("nav.types")}><a class="button main" href={link("new", "event-type")}>{t("type.add")}</a></Heading>
      <Listing path={tenantPath("event-types")} query={{ order: "asc" }} columns={typeColumns} id={(e) => e.type} label={t("nav.types")} empty={t("types.none")} />
    </>
  );
}

export function Secrets() {
  const [turn, set] = useState(0);
  const [open, setOpen] = useState(false);
  const again = () => set((n) => n + 1);
  const columns: Column<NamedSecret>[] = [
    { title: "col.name", show: (s) => <code>{s.name}</code>, wide: true },
    { title: "col.portal", show: (s) => (s.portal ? t("yes") : t("no")) },
    { title: "col.changed", show: (s) => <Time at={s.updated_at} /> },
    { title: "col.action", show: (s) => <Ask label={t("delete")} danger says={<p>{t("secret.delete.says", { name: s.name })}</p>} act={() => call("DELETE", tenantPath("secrets", s.name))} done={again} /> },
  ];
  return (
    <>
      <Heading title={t("nav.secrets")}><button type="button" class="main" onClick={() => setOpen(true)}>{t("secret.add")}</button></Heading>
      <p>{t("secrets.about")}</p>
      <Listing path={tenantPath("secrets")} query={{ order: "asc" }} turn={turn} columns={columns} id={(s) => s.name} label={t("nav.secrets")} empty={t("secrets.none")} />
      {open && <AddSecret close={() => { setOpen(false); again(); }} />}
    </>
  );
}

function AddSecret({ close }: { close: () => void }) {
  const action = useAction();
  const submit = (e: SubmitEvent) => {
    e.preventDefault();
    const f = new FormData(e.currentTarget as HTMLFormElement);
    void action.run(async () => {
      await call("PUT", tenantPath("secrets", String(f.get("name")).trim()), { value: String(f.get("value")) });
      close();
    });
  };
  return (
    <Dialog title={t("secret.add")} close={close}>
      <form onSubmit={submit}>
        <Field label={t("col.name")} hint={t("secret.name.hint")}><input name="name" required pattern="[a-z0-9_\-]{1,64}" autoComplete="off" /></Field>
        <Field label={t("secret.value")}><input name="value" type="password" required autoComplete="off" /></Field>
        {action.error && <Trouble error={action.error} />}
        <div class="actions"><button type="button" onClick={close}>{t("back")}</button><button class="main" disabled={action.busy}>{t("save")}</button></div>
      </form>
    </Dialog>
  );
}

export function Keys() {
  const [turn, set] = useState(0);
  const [made, setMade] = useState("");
  const [role, setRole] = useState("publish");
  const again = () => set((n) => n + 1);
  const columns: Column<APIKey>[] = [
    { title: "col.name", show: (k) => k.name || "–", wide: true },
    { title: "col.role", show: (k) => k.role },
    { title: "col.id", show: (k) => <code>{k.id}</code> },
    { title: "col.expires", show: (k) => <Time at={k.expires_at} /> },
    { title: "col.action", show: (k) => <Ask label={t("delete")} danger says={<p>{t("key.delete.says", { id: k.id })}</p>} act={() => call("DELETE", tenantPath("keys", k.id))} done={again} /> },
  ];
  return (
    <>
      <Heading title={t("nav.keys")}>
        <select aria-label={t("col.role")} value={role} onChange={(e) => setRole(e.currentTarget.value)}><option>publish</option><option>portal</option><option>manage</option></select>
        <Ask label={t("key.add")} says={<p>{t("key.add.says", { role })}</p>} act={async () => setMade((await call<{ key: string }>("POST", tenantPath("keys"), { role })).key)} done={again} />
      </Heading>
      {made && <p class="notice" role="status">{t("key.made")} <code class="secret">{made}</code> <Copy text={made} /></p>}
      <Listing path={tenantPath("keys")} turn={turn} columns={columns} id={(k) => k.id} label={t("nav.keys")} empty={t("keys.none")} />
    </>
  );
}

export function Tenants() {
  const enter = (tenant: string) => {
    session.signIn({ key: session.key, tenant, admin: true });
    go();
  };
  const columns: Column<Tenant>[] = [
    { title: "col.name", show: (x) => <code>{x.id}</code>, wide: true },
    { title: "col.action", show: (x) => <button type="button" disabled={x.id === session.tenant} onClick={() => enter(x.id)}>{t("tenant.enter", { tenant: x.id })}</button> },
  ];
  return (
    <>
      <Heading title={t("nav.tenants")} />
      <Listing path="/v1/tenants" query={{ order: "asc" }} columns={columns} id={(x) => x.id} label={t("nav.tenants")} empty={t("tenants.none")} />
    </>
  );
}
