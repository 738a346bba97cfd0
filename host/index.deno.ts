/** The package on Deno; `exports` in package.json chooses it. */
export * from "./library.ts";
export { createHost, serveHost } from "./runtime/deno.ts";
