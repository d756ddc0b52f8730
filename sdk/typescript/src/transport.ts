/** Requests to the API, with retries. */
import type { components } from "./schema.js";

export type Problem = Partial<components["schemas"]["Problem"]>;

/** Answers after which the same request may succeed. The API says by Retry-After when. */
const busy = new Set([429, 502, 503, 504]);

/**
 * An answer of the API that is no success. `code` says for programs what is wrong; docs/errors.md lists all codes.
 * `errors` names the wrong fields. An answer without a problem document has the code "".
 */
export class PostinoError extends Error {
  readonly code: string;
  readonly detail: string;
  readonly errors: { field: string; detail: string }[];
  readonly accepted: string[];

  constructor(
    readonly status: number,
    problem: Problem,
    /** Seconds that the answer asks to wait. */
    readonly retryAfter?: number | undefined,
  ) {
    const errors = problem.errors ?? [];
    super(`${status} ${problem.code ?? ""}: ${problem.detail ?? ""}${errors.map((e) => `; ${e.field}: ${e.detail}`).join("")}`);
    this.name = "PostinoError";
    this.code = problem.code ?? "";
    this.detail = problem.detail ?? "";
    this.errors = errors;
    this.accepted = problem.accepted ?? [];
  }
}

export interface Options {
  /** The address of the API, without /v1. */
  url: string;
  /** The admin key, or a key of the tenant. */
  key: string;
  /** Milliseconds for one request; default 30,000. */
  timeout?: number;
  /** How often a request is tried; default 6. */
  tries?: number;
}

export interface Request {
  body?: unknown;
  query?: object | undefined;
  headers?: Record<string, string>;
}

/**
 * Sends requests, and repeats those that may be repeated. GET, PUT and DELETE are repeated after a fault of the
 * network, a 429, 502, 503 or 504; so is a POST with an idempotency key. Other requests are repeated after a 429 only,
 * because then they did nothing.
 */
export class Transport {
  constructor(private readonly options: Options) {}

  async request(method: string, path: string, request: Request = {}): Promise<unknown> {
    const { tries = 6 } = this.options;
    const headers: Record<string, string> = { ...request.headers };
    const repeatable = ["GET", "PUT", "DELETE"].includes(method) || "Idempotency-Key" in headers;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(method, path, request, headers);
      } catch (error) {
        const refused = error instanceof PostinoError ? error : undefined;
        const again = refused ? refused.status === 429 || (repeatable && busy.has(refused.status)) : repeatable;
        if (!again || attempt >= tries) throw error;
        await new Promise((done) => setTimeout(done, 1000 * (refused?.retryAfter ?? pause(attempt))));
      }
    }
  }

  private async once(method: string, path: string, request: Request, headers: Record<string, string>): Promise<unknown> {
    const { url, key, timeout = 30_000 } = this.options;
    const address = new URL(url.replace(/\/+$/, "") + path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined && value !== null) address.searchParams.set(name, String(value));
    }
    const init: RequestInit = {
      method,
      headers: { authorization: `Bearer ${key}`, "user-agent": "postino-js/0.1.0", ...headers },
      signal: AbortSignal.timeout(timeout),
    };
    if (request.body !== undefined) {
      init.body = JSON.stringify(request.body);
      init.headers = { ...(init.headers as Record<string, string>), "content-type": "application/json" };
    }
    const answer = await fetch(address, init);
    const text = await answer.text();
    if (!answer.ok) throw new PostinoError(answer.status, problemOf(text), seconds(answer.headers.get("retry-after")));
    return text === "" ? undefined : JSON.parse(text);
  }
}

/** What a refusal says; of one that is no JSON, its beginning as the detail. */
function problemOf(text: string): Problem {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === "object" && problem !== null) {
      return { detail: (problem as { message?: string }).message ?? "", ...problem };
    }
  } catch {
    // no JSON
  }
  return { detail: text.slice(0, 200) };
}

/** Retry-After in seconds, at most a minute. */
function seconds(text: string | null): number | undefined {
  return text && /^\d+$/.test(text) ? Math.min(Number(text), 60) : undefined;
}

/** Before the next try: up to 0.4 s, 0.8 s, … 20 s, by chance, so that many clients do not return at once. */
function pause(attempt: number): number {
  return 0.1 + Math.random() * Math.min(20, 0.2 * 2 ** attempt);
}
