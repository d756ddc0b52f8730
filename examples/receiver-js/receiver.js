// A subscriber of Postino: it verifies each callback with the official Standard Webhooks library, handles it once, and
// answers.
//
//   npm install && WEBHOOK_SECRET=whsec_… node receiver.js
"use strict";

const http = require("node:http");
const { Webhook } = require("standardwebhooks");

const maxBody = 256 * 1024; // Postino sends at most 256 KiB
const [host, port] = (process.env.ADDR || "127.0.0.1:9001").split(":");
if (!process.env.WEBHOOK_SECRET) throw new Error("WEBHOOK_SECRET is not set");
const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const seen = new Set(); // webhook-ids; one that survives a restart stands in the database of the work itself

const server = http.createServer(async (request, response) => {
  const answer = (status) => response.writeHead(status).end();
  const body = await read(request);
  if (body === null) return answer(413);
  try {
    webhook.verify(body, request.headers); // the bytes that were signed, before any parsing
  } catch {
    return answer(401);
  }
  try {
    once(request.headers["webhook-id"], request.url, body);
  } catch {
    return answer(503); // it will be sent again
  }
  answer(204);
});

// One callback can arrive twice, when the answer to the first was lost for instance.
function once(id, path, body) {
  if (seen.has(id)) return;
  handle(id, path, body);
  seen.add(id);
}

async function read(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maxBody) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function handle(id, path, body) {
  console.log(id, path, body);
}

server.requestTimeout = 10_000;
server.listen(Number(port), host, () => console.log(`waiting for callbacks on http://${host}:${port}`));
