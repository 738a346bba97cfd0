/** What a host built from the sources says of itself: pages are made from its answers, so they cannot claim more. */
import { loadSource } from "./load-source.mjs";
import { at } from "./paths.mjs";

/** @typedef {{ url: string, close(): Promise<void> }} Served */
/** @type {Promise<import("./docs-http.mjs").Document> | undefined} */
let asked;

/**
 * Starts one host on a free port, asks it, and ends it; once, however many parts of pages want to know.
 *
 * @returns {Promise<import("./docs-http.mjs").Document>} `/openapi.json`.
 */
export function documentOf() {
  asked ??= (async () => {
    const { serveHost } = await loadSource("host/index.ts");
    const serve = /** @type {(options: object) => Promise<Served>} */ (serveHost);
    const host = await serve({ listen: "127.0.0.1:0", tcp: null, core: at("dist", "core.wasm") });
    try {
      return await (await fetch(`${host.url}/openapi.json`)).json();
    } finally {
      await host.close();
    }
  })();
  return asked;
}
