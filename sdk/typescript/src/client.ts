/** The client of one tenant. */
import { randomUUID } from "node:crypto";

import type { components } from "./schema.js";
import { Transport, type Options, type Request } from "./transport.js";

type Schemas = components["schemas"];

const maxEvents = 500; // of one request
const maxBytes = 3 << 20; // of one request; the API takes 4 MiB

/** The ids of published events in their order, and of those that were accepted before. */
export interface Published {
  ids: string[];
  duplicates: string[];
}

/** What all lists take. `limit` is that of one request; iteration goes on to the next. */
export interface Page {
  limit?: number;
  order?: "asc" | "desc";
  after?: string;
  before?: string;
}

/** What a list of deliveries takes. */
export interface Deliveries extends Page {
  subscription?: string;
  event?: string;
  source?: string;
  status?: Schemas["Status"];
  subject?: string;
}

/** What a list of events takes. */
export interface Events extends Page {
  type?: string;
  subject?: string;
}

/** The API for one tenant. */
export class Postino {
  private readonly transport: Transport;
  private readonly base: string;

  constructor(options: Options & { tenant: string }) {
    this.transport = new Transport(options);
    this.base = `/v1/tenants/${encodeURIComponent(options.tenant)}`;
  }

  /**
   * Publishes one event or any number, in requests of at most 500 events and 3 MiB. When it returns, all are durable.
   * Faults are retried with an idempotency key, so nothing is published twice. Give a key of your own if your program
   * may call this again for the same events, for example after a crash.
   */
  async publish(
    events: Schemas["NewEvent"] | readonly Schemas["NewEvent"][],
    { idempotencyKey = randomUUID() as string } = {},
  ): Promise<Published> {
    const all: Published = { ids: [], duplicates: [] };
    let n = 0;
    for (const body of batches(Array.isArray(events) ? events : [events])) {
      const headers = { "Idempotency-Key": n === 0 ? idempotencyKey : `${idempotencyKey}/${n}` };
      const answer = await this.request<Schemas["Published"]>("POST", "/events", { body, headers });
      all.ids.push(...answer.ids);
      all.duplicates.push(...(answer.duplicates ?? []));
      n++;
    }
    return all;
  }

  /** Calls any route of the tenant, such as `request("GET", "/stats")`, and returns the answer's JSON. */
  request<T = unknown>(method: string, path: string, request?: Request): Promise<T> {
    return this.transport.request(method, this.base + path, request) as Promise<T>;
  }

  /** Iterates over any list of the tenant, page by page. */
  async *each<T = unknown>(path: string, query: object = {}): AsyncGenerator<T, void, undefined> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: { data: T[]; next_cursor: string | null } = await this.request("GET", path, { query: { ...query, cursor } });
      yield* page.data;
      cursor = page.next_cursor;
    }
  }

  /** The subscriptions of the tenant. */
  readonly subscriptions = {
    /** Creates a subscription. The answer has the secret that signs its callbacks. */
    create: (body: Schemas["SubscriptionInput"]) => this.request<Schemas["CreatedSubscription"]>("POST", "/subscriptions", { body }),
    /** Creates a subscription, or replaces all its fields. */
    put: (id: string, body: Schemas["SubscriptionInput"]) => this.request<Schemas["Subscription"]>("PUT", subscription(id), { body }),
    /** Replaces the fields of the change; null restores a default. */
    patch: (id: string, body: Schemas["SubscriptionPatch"]) => this.request<Schemas["Subscription"]>("PATCH", subscription(id), { body }),
    get: (id: string) => this.request<Schemas["Subscription"]>("GET", subscription(id)),
    list: (query?: Pick<Page, "limit" | "order">) => this.each<Schemas["Subscription"]>("/subscriptions", query),
    delete: (id: string) => this.request<void>("DELETE", subscription(id)),
    pause: (id: string) => this.request<Schemas["Subscription"]>("POST", `${subscription(id)}/pause`),
    resume: (id: string) => this.request<Schemas["Subscription"]>("POST", `${subscription(id)}/resume`),
    /** The secret that signs callbacks now. */
    secret: (id: string) => this.request<Schemas["SigningSecret"]>("GET", `${subscription(id)}/secret`),
    rotateSecret: (id: string, body: Schemas["Rotation"] = {}) =>
      this.request<Schemas["CreatedSubscription"]>("POST", `${subscription(id)}/rotate-secret`, { body }),
  };

  /** The deliveries of the tenant. */
  readonly deliveries = {
    list: (query?: Deliveries) => this.each<Schemas["Delivery"]>("/deliveries", query),
    /** A delivery with its attempts. */
    get: (id: string) => this.request<Schemas["DeliveryDetail"]>("GET", delivery(id)),
    /** Makes one attempt now, in addition to the schedule. */
    retry: (id: string) => this.request<Schemas["Delivery"]>("POST", `${delivery(id)}/retry`),
    cancel: (id: string) => this.request<Schemas["Delivery"]>("POST", `${delivery(id)}/cancel`),
  };

  /** The events of the tenant. */
  readonly events = {
    list: (query?: Events) => this.each<Schemas["Event"]>("/events", query),
    /** An event with its deliveries. It is 404 until it is stored, normally for milliseconds. */
    get: (id: string, query?: { source?: string }) =>
      this.request<Schemas["EventDetail"]>("GET", `/events/${encodeURIComponent(id)}`, { query }),
  };
}

const subscription = (id: string) => `/subscriptions/${encodeURIComponent(id)}`;
const delivery = (id: string) => `/deliveries/${encodeURIComponent(id)}`;

/** Splits events into requests, always in the same way. */
function* batches<E>(events: readonly E[]): Generator<E[]> {
  let batch: E[] = [];
  let size = 0;
  for (const event of events) {
    const length = Buffer.byteLength(JSON.stringify(event));
    if (batch.length > 0 && (batch.length === maxEvents || size + length > maxBytes)) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(event);
    size += length + 1;
  }
  if (batch.length > 0) yield batch;
}
