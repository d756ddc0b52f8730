// Verifies callbacks with the libraries of GitHub, Shopify, Svix and Stripe. Its argument is a file of callbacks: by
// preset, a list of {url, headers, body}. It prints how many it verified, and fails with the first that is not genuine,
// or that is still taken with a changed body.
import { readFileSync } from "node:fs";

import { verify } from "@octokit/webhooks-methods";
import "@shopify/shopify-api/adapters/node";
import { shopifyApi } from "@shopify/shopify-api";
import { Stripe } from "stripe";
import { Webhook } from "svix";

const secret = "s3cr3t-of-the-receiver";
const shopify = shopifyApi({
  apiKey: "key",
  apiSecretKey: secret,
  apiVersion: "2026-10",
  hostName: "shop.example",
  isEmbeddedApp: false,
  logger: { log: () => {} },
});

const taken = (call) => {
  try {
    call();
    return true;
  } catch {
    return false;
  }
};

const libraries = {
  github: ({ headers, body }) => verify(secret, body, headers["x-hub-signature-256"]),
  shopify: async ({ headers, body }) => (await shopify.webhooks.validate({ rawBody: body, rawRequest: { headers }, rawResponse: {} })).valid,
  svix: ({ headers, body }) => taken(() => new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify(body, headers)),
  stripe: ({ headers, body }) => taken(() => new Stripe("sk_test").webhooks.constructEvent(body, headers["stripe-signature"], secret)),
};

const callbacks = JSON.parse(readFileSync(process.argv[2], "utf8"));
let verified = 0;
for (const [preset, genuine] of Object.entries(libraries)) {
  for (const callback of callbacks[preset]) {
    if (!(await genuine(callback))) throw new Error(`${preset}: not genuine: ${JSON.stringify(callback)}`);
    if (await genuine({ ...callback, body: callback.body.replace("ada", "eve") })) throw new Error(`${preset}: a changed body is taken`);
    verified++;
  }
}
console.log(verified);
