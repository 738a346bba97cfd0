/** The package on Deno; `exports` in package.json chooses it. */
export * from "./library.ts";
export { serveHost } from "./runtime/deno.ts";
