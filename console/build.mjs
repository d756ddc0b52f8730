// Builds the console: types from the API's description, then the files in dist, each compressed by gzip and brotli.
//
//   node build.mjs           makes dist
//   node build.mjs --check   builds elsewhere and fails if dist is not what would be made
//
// Packages are those of ../.cache/console, or of the folder in POSTINO_CONSOLE_PACKAGES.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const packages = resolve(process.env.POSTINO_CONSOLE_PACKAGES ?? join(here, "../.cache/console/node_modules"));
const check = process.argv.includes("--check");
const dist = join(here, "dist");

if (!existsSync(join(here, "node_modules"))) symlinkSync(packages, join(here, "node_modules"));
const run = (name, ...args) => execFileSync(process.execPath, [join(packages, name), ...args], { cwd: here, stdio: ["ignore", "pipe", "inherit"] });
const files = (dir) => readdirSync(dir, { recursive: true }).map((name) => join(dir, name)).filter((name) => statSync(name).isFile()).sort();

// Types of the API.
run("openapi-typescript/bin/cli.js", join(here, "../shared/api/openapi/openapi.json"), "-o", join(here, "src/api/schema.d.ts"));

// The recipes of the gallery.
const from = join(here, "../events/recipes");
const recipes = readdirSync(from).sort().map((name) => {
  const { title, about, secrets = {}, setup = [], subscriptions } = JSON.parse(readFileSync(join(from, name), "utf8"));
  return { id: name.replace(".json", ""), title, about, secrets: Object.keys(secrets), setup, subscriptions };
});
writeFileSync(join(here, "src/recipes.json"), JSON.stringify(recipes));

// The files, without and with compression.
const faults = [];
const made = join(mkdtempSync(join(tmpdir(), "postino-console-")), "dist");
run("typescript/bin/tsc", "--project", here);
run("vite/bin/vite.js", "build", "--logLevel", "warn", "--outDir", made, "--emptyOutDir");
const plain = new Map(files(made).map((name) => [relative(made, name), readFileSync(name)]));
if (check) {
  const there = new Map(files(dist).map((name) => [relative(dist, name), readFileSync(name)]));
  for (const [name, body] of plain) {
    const gz = there.get(name + ".gz"), br = there.get(name + ".br");
    if (!gz || !br || !gunzipSync(gz).equals(body) || !brotliDecompressSync(br).equals(body)) faults.push("dist/" + name);
  }
  for (const name of there.keys()) if (!plain.has(name.replace(/\.(gz|br)$/, ""))) faults.push("dist/" + name);
} else {
  rmSync(dist, { recursive: true, force: true });
  execFileSync("cp", ["-r", made, dist]);
  for (const [name, body] of plain) {
    writeFileSync(join(dist, name + ".gz"), gzipSync(body, { level: 9 }));
    writeFileSync(join(dist, name + ".br"), brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }));
    rmSync(join(dist, name));
  }
}
rmSync(dirname(made), { recursive: true });
if (faults.length > 0) {
  console.error("not what console/build.mjs makes now: " + faults.join(", ") + ". Run node console/build.mjs and commit what it makes.");
  process.exit(1);
}
