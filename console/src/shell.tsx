import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, Mark } from "./parts/icon";
import { forBrowser } from "./kept";
import { go, link, type Route } from "./router";
import { portal, session } from "./session";
import { language, languageNames, speak, t, type Name } from "./words";

const groups: { title: Name; pages: [string, Name, "admin"?][] }[] = [
  { title: "nav.watch", pages: [["", "nav.overview"], ["events", "nav.events"], ["deliveries", "nav.deliveries"], ["statistics", "nav.statistics"], ["jobs", "nav.jobs"]] },
  { title: "nav.build", pages: [["subscriptions", "nav.subscriptions"], ["campaigns", "nav.campaigns"], ["event-types", "nav.types"]] },
  { title: "nav.people", pages: [["profiles", "nav.profiles"], ["segments", "nav.segments"], ["send", "nav.send"]] },
  { title: "nav.setup", pages: [["secrets", "nav.secrets"], ["portal", "nav.portal"], ["keys", "nav.keys", "admin"], ["tenants", "nav.tenants", "admin"]] },
];

const ofPortal = ["", "deliveries", "subscriptions", "jobs"];

// Shell is what surrounds every page: where one can go, search, and preferences.
export function Shell({ at, children }: { at: Route; children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  const [open, setOpen] = useState(false);
  const where = at.path.join("/");
  const first = useRef(true);
  useEffect(() => {
    setOpen(false);
    if (first.current) first.current = false;
    else main.current?.focus(); // so that a screen reader begins at the new page
    scrollTo(0, 0);
  }, [where]);
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>{t("skip")}</a>
      <header class="top">
        <button type="button" class="menu" aria-expanded={open} aria-controls="nav" onClick={() => setOpen(!open)}>{t("menu")}</button>
        <a class="brand" href={link()}><Mark />{portal ? t("signin.title.portal") : "Postino"}</a>
        {!portal && <SearchBox />}
        <span class="tenant">{session.admin ? <a href={link("tenants")} title={t("nav.tenants")}>{session.tenant}</a> : session.tenant}</span>
      </header>
      <nav id="nav" class={open ? "open" : ""} aria-label={t("menu")}>
        {groups.map((g) => {
          const pages = g.pages.filter(([path, , only]) => (only !== "admin" || session.admin) && (!portal || ofPortal.includes(path)));
          if (pages.length === 0) return null;
          return (
            <div key={g.title}>
              <h2>{t(g.title)}</h2>
              <ul>{pages.map(([path, name]) => <li key={path}><a href={link(...(path === "" ? [] : [path]))} aria-current={(at.path[0] ?? "") === path ? "page" : undefined}><Icon of={path || "overview"} />{t(name)}</a></li>)}</ul>
            </div>
          );
        })}
        <Preferences />
      </nav>
      <main ref={main} id="main" tabIndex={-1}>{children}</main>
    </div>
  );
}

function SearchBox() {
  const submit = (e: SubmitEvent) => {
    e.preventDefault();
    const q = String(new FormData(e.currentTarget as HTMLFormElement).get("q")).trim();
    if (q !== "") go("search", { q });
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <input type="search" name="q" aria-label={t("search.label")} placeholder={t("search.placeholder")} autoComplete="off" />
    </form>
  );
}

function Preferences() {
  const [theme, set] = useState(document.documentElement.dataset.theme ?? "");
  const choose = (value: string) => {
    set(value);
    forBrowser.set("postino.theme", value);
    document.documentElement.dataset.theme = value;
  };
  return (
    <div class="preferences">
      <h2>{t("preferences")}</h2>
      <select aria-label={t("language")} value={language} onChange={(e) => speak(e.currentTarget.value)}>
        {Object.entries(languageNames).map(([code, name]) => <option key={code} value={code}>{name}</option>)}
      </select>
      <select aria-label={t("theme")} value={theme} onChange={(e) => choose(e.currentTarget.value)}>
        <option value="">{t("theme.system")}</option><option value="light">{t("theme.light")}</option><option value="dark">{t("theme.dark")}</option>
      </select>
      <button type="button" onClick={() => session.signOut()}>{t("signout")}</button>
    </div>
  );
}
