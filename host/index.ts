/** The package on Node; `exports` in package.json chooses it. */
export * from "./library.ts";
export { createHost, serveHost } from "./runtime/node.ts";
