/** `sluice` on Deno. */
import { main } from "./main.ts";

await main(async () => (await import("../runtime/deno.ts")).platform);
