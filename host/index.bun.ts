/** The package on Bun; `exports` in package.json chooses it. */
export * from "./library.ts";
export { createHost, serveHost } from "./runtime/bun.ts";
