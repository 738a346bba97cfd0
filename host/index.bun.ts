/** The package on Bun; `exports` in package.json chooses it. */
export * from "./library.ts";
export { serveHost } from "./runtime/bun.ts";
