/** `sluice` on Bun. */
import { main } from "./main.ts";

await main(async () => (await import("../runtime/bun.ts")).platform);
