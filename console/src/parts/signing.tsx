import { useState } from "preact/hooks";
import { call, get, tenantPath } from "../api/client";
import { t } from "../words";
import { Copy, Time, Trouble } from "./basics";
import { Ask } from "./confirm";
import { useAction } from "./hooks";

type Held = { secret: string; previous?: { signing: string; expires_at: string }[] };

// Signing shows the secret with which a receiver verifies, once asked, and replaces it.
export function Signing({ id }: { id: string }) {
  const [held, set] = useState<Held | null>(null);
  const action = useAction();
  const show = () => action.run(async () => set(await get<Held>(tenantPath("subscriptions", id, "secret"))));
  return (
    <section aria-label={t("signing")}>
      <h2>{t("signing")}</h2>
      <p>{t("signing.about")}</p>
      {action.error && <Trouble error={action.error} />}
      {held && <p><code class="secret">{held.secret}</code> <Copy text={held.secret} /></p>}
      {held?.previous?.map((p) => <p key={p.expires_at}>{t("signing.previous")} <Time at={p.expires_at} /></p>)}
      <div class="actions">
        {held ? <button type="button" onClick={() => set(null)}>{t("hide")}</button> : <button type="button" disabled={action.busy} onClick={() => void show()}>{t("signing.show")}</button>}
        <Ask label={t("rotate")} says={<p>{t("rotate.says")}</p>} act={() => call("POST", tenantPath("subscriptions", id, "rotate-secret"), {})} done={() => void show()} />
      </div>
    </section>
  );
}
