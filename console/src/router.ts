import { useEffect, useState } from "preact/hooks";

// Route is where the visitor is: the part of the address behind #, which no server sees.
export type Route = { path: string[]; query: URLSearchParams };

export function route(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const unescaped = (s: string) => {
    try {
      return decodeURIComponent(s);
    } catch {
      return s;
    }
  };
  return { path: path.split("/").filter((s) => s !== "").map(unescaped), query: new URLSearchParams(query) };
}

export function useRoute(): Route {
  const [at, set] = useState(route);
  useEffect(() => {
    const moved = () => set(route());
    addEventListener("hashchange", moved);
    moved(); // signing in by a link has changed the address before anybody listened
    return () => removeEventListener("hashchange", moved);
  }, []);
  return at;
}

// link is the address of a page: link("events", id), link("deliveries", { status: "exhausted" }).
export function link(...parts: (string | Record<string, string | undefined>)[]): string {
  const path = parts.filter((p) => typeof p === "string").map(encodeURIComponent).join("/");
  const q = new URLSearchParams();
  for (const part of parts) if (typeof part !== "string") for (const [k, v] of Object.entries(part)) if (v) q.set(k, v);
  return `#/${path}${q.size > 0 ? "?" + q : ""}`;
}

export const go = (...parts: Parameters<typeof link>) => { location.hash = link(...parts); };

// amend changes the query of the page where the visitor is, without another step in the history.
export function amend(change: Record<string, string>) {
  const { path, query } = route();
  history.replaceState(null, "", link(...path, { ...Object.fromEntries(query), ...change }));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
