/** Checks whether a request is a genuine and recent callback. */
import { createHmac, createPublicKey, timingSafeEqual, verify as verifySignature } from "node:crypto";

const maxSignatures = 8; // of one request; Postino sends at most five

/** The request is no genuine and recent callback. Answer it with 401. */
export class VerificationError extends Error {
  override readonly name = "VerificationError";
}

export interface VerifyOptions {
  /** The time, for tests; default now. */
  now?: Date;
  /** Seconds between the callback's time and the clock, both ways; default five minutes. */
  tolerance?: number;
}

type Headers = Iterable<[string, string]> | Record<string, string | string[] | undefined>;

/**
 * Returns the id of the delivery, or throws a VerificationError. `secret` is `whsec_…` or the public key `whpk_…`, or
 * several of them during a rotation. `body` is what arrived, before it is parsed. A callback can arrive more than once,
 * with the same id.
 */
export function verify(secret: string | readonly string[], headers: Headers, body: string | Uint8Array, options: VerifyOptions = {}): string {
  const { now = new Date(), tolerance = 300 } = options;
  const fields = new Map<string, unknown>(
    (Symbol.iterator in headers ? [...headers] : Object.entries(headers)).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => required(fields, name)) as [
    string,
    string,
    string,
  ];
  if (!/^\d{1,12}$/.test(timestamp)) throw new VerificationError("webhook-timestamp is not a time");
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > tolerance) {
    throw new VerificationError("webhook-timestamp is too far from this clock");
  }
  const listed = signatures.split(" ");
  if (listed.length > maxSignatures) throw new VerificationError("too many signatures");
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), Buffer.from(body as string)]);
  for (const one of typeof secret === "string" ? [secret] : secret) {
    const key = keyOf(one);
    if (listed.some((signature) => key(signature, signed))) return id;
  }
  throw new VerificationError("no signature matches: the body was changed, or the secret is wrong");
}

function required(fields: Map<string, unknown>, name: string): string {
  const value = fields.get(name);
  if (typeof value !== "string" || value === "") throw new VerificationError(`the header ${name} is missing`);
  return value;
}

/** What judges signatures with a secret or a public key. */
function keyOf(secret: string): (signature: string, signed: Buffer) => boolean {
  const [kind, text = ""] = secret.split(/_(.*)/s);
  const key = Buffer.from(text, "base64");
  if (key.length === 0 || key.toString("base64") !== text || (kind !== "whsec" && kind !== "whpk")) {
    throw new TypeError("want a secret whsec_… or a public key whpk_…");
  }
  if (kind === "whsec") {
    return (signature, signed) => {
      const want = Buffer.from(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
      const got = Buffer.from(signature);
      return got.length === want.length && timingSafeEqual(got, want);
    };
  }
  const publicKey = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") } });
  return (signature, signed) =>
    signature.startsWith("v1a,") && verifySignature(null, signed, publicKey, Buffer.from(signature.slice(4), "base64"));
}
