import { session } from "../session";
import type { Problem } from "./types";

// Refusal is an answer that is not a success, or no answer: then its status is 0.
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly faults: { field: string; detail: string }[] = [],
  ) {
    super(detail);
  }
  // passing reports whether the same request may succeed later.
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type Query = Record<string, string | number | undefined>;

// tenantPath is a path of the tenant that the visitor is signed in to. Each segment is escaped.
export function tenantPath(...segments: string[]): string {
  return ["/v1/tenants", session.tenant, ...segments].map((s, i) => (i === 0 ? s : encodeURIComponent(s))).join("/");
}

export function withQuery(path: string, query: Query): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") q.set(name, String(value));
  return q.size > 0 ? `${path}?${q}` : path;
}

// callText makes a request and returns the answer as it came. A body that is a string is sent as it is.
export async function callText(method: string, path: string, body?: unknown, key = session.key): Promise<string> {
  const headers: Record<string, string> = key === "" ? {} : { Authorization: `Bearer ${key}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response, text: string;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined || typeof body === "string" ? body : JSON.stringify(body), credentials: "omit", cache: "no-store" });
    text = await answer.text();
  } catch {
    throw new Refusal(0, "offline", "");
  }
  if (answer.ok) return text;
  const refusal = refusalOf(answer.status, text);
  if (refusal.status === 401 && key === session.key) session.expire();
  throw refusal;
}

function refusalOf(status: number, text: string): Refusal {
  try {
    const p = JSON.parse(text) as Problem;
    return new Refusal(status, p.code ?? "", p.detail ?? text, p.errors ?? []);
  } catch {
    return new Refusal(status, "", text.slice(0, 300)); // API Gateway's own answers
  }
}

export async function call<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  const text = await callText(method, path, body, key);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

export const get = <T>(path: string, query: Query = {}) => call<T>("GET", withQuery(path, query));
