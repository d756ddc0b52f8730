import recipes from "../recipes.json";
import { go } from "../router";
import { count, t } from "../words";

// Recipe is an example: what it needs before, as calls of the API, and its subscriptions.
export type Recipe = { id: string; title: string; about: string; secrets: string[]; setup: { call: string; body?: unknown }[]; subscriptions: ({ id: string; name?: string; url?: string } & Record<string, unknown>)[] };

const all = recipes as Recipe[];

export const recipeOf = (id: string): Recipe | undefined => all.find((r) => r.id === id);

// Gallery offers examples to begin with: they are the repository's recipes. One of several subscriptions, or that needs
// more than subscriptions, is set up as a whole.
export function Gallery({ choose }: { choose: (subscription: unknown, secrets: string[]) => void }) {
  const use = (r: Recipe) => (r.subscriptions.length === 1 && r.setup.length === 0 ? choose(r.subscriptions[0], r.secrets) : go("install", r.id));
  return (
    <section aria-label={t("gallery")}>
      <h2>{t("gallery")}</h2>
      <ul class="cards">
        {all.map((r) => (
          <li key={r.id}>
            <h3>{r.title}</h3>
            <p>{r.about}</p>
            {r.subscriptions.length > 1 && <p class="under">{t("gallery.several", { n: count(r.subscriptions.length) })}</p>}
            <button type="button" aria-label={t("gallery.use", { title: r.title })} onClick={() => use(r)}>{t("gallery.take")}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
