/** `sluice` on Node. */
import { main } from "./main.ts";

await main(async () => (await import("../runtime/node.ts")).platform);
