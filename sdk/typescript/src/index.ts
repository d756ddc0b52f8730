/** Publish events to Postino, manage its subscriptions, and verify its callbacks. */
export { Postino, type Deliveries, type Events, type Page, type Published } from "./client.js";
export { PostinoError, type Options, type Problem } from "./transport.js";
export { VerificationError, verify, type VerifyOptions } from "./verification.js";
export type { components, paths } from "./schema.js";
