import { forTab } from "./kept";

// The key is in sessionStorage only: it ends with the tab, and no server sees it but in the header of a request.
const place = "postino.session";

export type Credentials = { key: string; tenant: string; admin: boolean };

// portal is whether the page is the portal, which is for subscribers.
export const portal = location.pathname.startsWith("/portal");

class Session {
  #held: Credentials | null = null;
  #listeners = new Set<() => void>();
  expired = false; // the key was refused; what is on the page stays there

  constructor() {
    try {
      this.#held = JSON.parse(forTab.get(place) ?? "null");
    } catch {
      this.#held = null;
    }
  }
  get signedIn() { return this.#held !== null; }
  get key() { return this.#held?.key ?? ""; }
  get tenant() { return this.#held?.tenant ?? ""; }
  get admin() { return this.#held?.admin ?? false; }

  signIn(c: Credentials) {
    this.#held = c;
    this.expired = false;
    forTab.set(place, JSON.stringify(c));
    this.#tell();
  }
  signOut() {
    this.#held = null;
    this.expired = false;
    forTab.remove(place);
    this.#tell();
  }
  expire() {
    if (this.#held === null || this.expired) return;
    this.expired = true;
    this.#tell();
  }
  // listen calls back after each change, until the function that it returns is called.
  listen(f: () => void): () => void {
    this.#listeners.add(f);
    return () => this.#listeners.delete(f);
  }
  #tell() {
    for (const f of this.#listeners) f();
  }
}

export const session = new Session();

// fromAddress takes a key that a link brought in its fragment, which no server sees, and removes it from the address.
export function fromAddress(): { key: string; tenant: string } | null {
  const q = new URLSearchParams(location.hash.replace(/^#/, ""));
  const key = q.get("key");
  if (key === null) return null;
  history.replaceState(null, "", location.pathname + "#/" + (q.get("to") ?? ""));
  dispatchEvent(new HashChangeEvent("hashchange"));
  return { key, tenant: q.get("tenant") ?? "" };
}
