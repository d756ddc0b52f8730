import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import type { Origins, PortalLink } from "../api/types";
import { Copy, Field, Heading, Loading, Text, Time, Trouble } from "../parts/basics";
import { useAction, useLoaded } from "../parts/hooks";
import { t } from "../words";

// PortalPage gives customers the portal: by a link, or within the pages of a product.
export function PortalPage() {
  const loaded = useLoaded(() => get<Origins>(tenantPath("origins")), []);
  return (
    <>
      <Heading title={t("nav.portal")} />
      <p class="lead">{t("portal.about")}</p>
      <MakeLink />
      {loaded.data ? <Pages begin={loaded.data.origins} /> : loaded.error ? <Trouble error={loaded.error} retry={loaded.reload} /> : <Loading />}
    </>
  );
}

function MakeLink() {
  const [life, set] = useState("1h");
  const [made, setMade] = useState<PortalLink | null>(null);
  const action = useAction();
  const make = () => action.run(async () => setMade(await call<PortalLink>("POST", tenantPath("portal-links"), { expires_in: life })));
  const address = made === null ? "" : location.origin + made.url;
  return (
    <section aria-label={t("portal.link")}>
      <h2>{t("portal.link")}</h2>
      <p>{t("portal.link.says")}</p>
      <div class="filters">
        <Field label={t("portal.life")}><select value={life} onChange={(e) => set(e.currentTarget.value)}>{["10m", "1h", "8h", "24h"].map((x) => <option key={x}>{x}</option>)}</select></Field>
        <button type="button" class="main" disabled={action.busy} onClick={() => void make()}>{t("portal.make")}</button>
      </div>
      {action.error && <Trouble error={action.error} />}
      {made && (
        <div class="notice" role="status">
          <p>{t("portal.made")} <Time at={made.expires_at} /> <Copy text={address} /></p>
          <code class="secret">{address}</code>
          <h3>{t("portal.embed")}</h3>
          <Text label={t("portal.embed")}>{`<script type="module" src="${location.origin}/portal/embed.js"></script>\n<postino-portal link="${address}"></postino-portal>`}</Text>
        </div>
      )}
    </section>
  );
}

function Pages({ begin }: { begin: string[] }) {
  const [text, set] = useState(begin.join("\n"));
  const [saved, setSaved] = useState(false);
  const action = useAction();
  const save = () => action.run(async () => {
    const { origins } = await call<Origins>("PUT", tenantPath("origins"), { origins: text.split(/[\s,]+/).filter((s) => s !== "") });
    set(origins.join("\n"));
    setSaved(true);
  });
  return (
    <section aria-label={t("portal.pages")}>
      <h2>{t("portal.pages")}</h2>
      <Field label={t("portal.pages.label")} hint={t("portal.pages.hint")}><textarea rows={4} spellcheck={false} placeholder="https://app.example" value={text} onInput={(e) => { set(e.currentTarget.value); setSaved(false); }} /></Field>
      {action.error && <Trouble error={action.error} />}
      <div class="actions"><button type="button" disabled={action.busy} onClick={() => void save()}>{t("save")}</button>{saved && <span role="status" class="good">{t("saved")}</span>}</div>
    </section>
  );
}
