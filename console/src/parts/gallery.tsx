import recipes from "../recipes.json";
import { t } from "../words";

export type Recipe = (typeof recipes)[number];

// Gallery offers examples to begin with. They are the repository's recipes.
export function Gallery({ choose }: { choose: (subscription: unknown, secrets: string[]) => void }) {
  return (
    <section aria-label={t("gallery")}>
      <h2>{t("gallery")}</h2>
      <ul class="cards">
        {recipes.map((r) => (
          <li key={r.id}>
            <h3>{r.title}</h3>
            <p>{r.about}</p>
            <button type="button" aria-label={t("gallery.use", { title: r.title })} onClick={() => choose(r.subscription, r.secrets)}>{t("gallery.take")}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
