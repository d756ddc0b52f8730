/**
 * Starts Postino and a receiver in a test.
 *
 *     const local = await startLocal();
 *     const hook = await receive();
 *     const postino = local.client("acme");
 *     await postino.subscriptions.create({ url: hook.url });
 *     await postino.publish({ type: "order.paid", data: 1 });
 *     await hook.wait(1);
 *     await local.advance("1h");
 *     await Promise.all([hook.close(), local.close()]);
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { Postino } from "./client.js";
import { Transport } from "./transport.js";
import { verify } from "./verification.js";

/** A running Postino whose clock stands still until you advance it. */
export class Local {
  /** The time of its clock. */
  now = new Date();

  /** @internal */
  constructor(
    readonly url: string,
    readonly key: string,
    private readonly process: ChildProcess,
    private readonly data: string,
  ) {}

  client(tenant: string): Postino {
    return new Postino({ url: this.url, key: this.key, tenant });
  }

  /** Advances the clock, for example by "1h". It returns when everything that became due was sent. */
  async advance(duration: string): Promise<void> {
    const transport = new Transport({ url: this.url, key: this.key, timeout: 120_000 });
    const answer = (await transport.request("POST", "/v1/clock", { body: { advance: duration } })) as { now: string };
    this.now = new Date(answer.now);
  }

  /** Stops it and removes its data. */
  async close(): Promise<void> {
    if (this.process.exitCode === null && this.process.kill()) await once(this.process, "exit");
    await rm(this.data, { recursive: true, force: true });
  }
}

/**
 * Starts local mode with a clock that stands still. `program` is the program `postino`; by default that of
 * POSTINO_PROGRAM, or the one in the PATH.
 */
export async function startLocal(program = process.env["POSTINO_PROGRAM"] ?? "postino"): Promise<Local> {
  const data = await mkdtemp(join(tmpdir(), "postino-test-"));
  const child = spawn(program, ["serve", "-test-clock", "-addr", "127.0.0.1:0", "-data", data], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise<string>((found, failed) => {
    child.once("error", (error) => failed(new Error(`${program} did not start: install it, or set POSTINO_PROGRAM to its path`, { cause: error })));
    child.once("exit", () => failed(new Error(`${program} ended`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const listens = /listens on (\S+)/.exec(line);
      if (listens?.[1]) found(listens[1]);
    });
  });
  return new Local(url, (await readFile(join(data, "admin.key"), "utf8")).trim(), child, data);
}

/** A request that a receiver got. The names of its headers are in lower case. */
export class Callback {
  /** @internal */
  constructor(
    readonly path: string,
    readonly headers: Record<string, string>,
    readonly body: Buffer,
  ) {}

  /** The body as JSON. */
  json(): any {
    return JSON.parse(this.body.toString());
  }

  /** Verifies the signature, and returns the id of the delivery. Its time is that of the real clock. */
  verify(secret: string): string {
    return verify(secret, this.headers, this.body);
  }
}

/** Takes callbacks. */
export class Receiver {
  readonly callbacks: Callback[] = [];
  /** Decides the status of each answer; by default 204. */
  answer: (callback: Callback) => number = () => 204;
  private readonly waiting = new Set<() => void>();

  /** @internal */
  constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  /** Waits until as many callbacks have come in all, and returns those that came. */
  async wait(count: number, timeout = 30_000): Promise<Callback[]> {
    const end = AbortSignal.timeout(timeout);
    while (this.callbacks.length < count) {
      await new Promise<void>((came, failed) => {
        this.waiting.add(came);
        end.onabort = () => failed(new Error(`${this.callbacks.length} callbacks came in ${timeout} ms, want ${count}`));
        if (end.aborted) end.onabort(new Event("abort"));
      });
    }
    return [...this.callbacks];
  }

  /** @internal */
  take(callback: Callback): number {
    const status = this.answer(callback);
    this.callbacks.push(callback);
    for (const came of this.waiting) came();
    this.waiting.clear();
    return status;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

/** Starts a receiver on a free port of 127.0.0.1. */
export async function receive(): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    response.writeHead(receiver.take(new Callback(request.url ?? "/", headers, Buffer.concat(parts)))).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const receiver = new Receiver(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  return receiver;
}
