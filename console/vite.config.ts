import { defineConfig } from "vite";

// The names of files contain a hash of their content, so that browsers may keep them for ever.
export default defineConfig({
  base: "/console/",
  server: { proxy: { "/v1": "http://127.0.0.1:8080", "/healthz": "http://127.0.0.1:8080" } },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false, license: { fileName: "assets/licenses.md" } },
});
