import { defineConfig } from "vite";

/** The pages that the server renders; `api/pages_html.py` names them by these paths. */
const entries = ["src/pages/maps.ts", "src/pages/map.ts", "src/pages/iframe.ts", "src/styles/plain.css"];

export default defineConfig({
  base: "/static/",
  build: {
    outDir: "../src/graticule/web_dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
    target: "es2022",
    // The content security policy knows no data: addresses but for pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // MapLibre alone is larger than the default limit.
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { input: entries },
  },
  worker: { format: "es" },
});
