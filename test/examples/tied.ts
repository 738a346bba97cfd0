/** Tied servers in virtual time: three of them, each request to two, and whoever begins calls the other off. */
import { balancing } from "../../examples/web-cluster/channels.mjs";
import { simulate } from "../../examples/web-cluster/simulate.mjs";

/** Ten seconds of them; the same seed gives the same. */
export const tiedServers = (seed: number) =>
  simulate({
    servers: 3,
    filters: balancing({ choose: "tied", limit: 2 }),
    settings: {
      forwardAfterMs: Number.POSITIVE_INFINITY,
      copies: 1,
      cancelOnStart: true,
      updatesPerSecond: 1,
      watch: false,
    },
    arrivals: [{ perSecond: 50 }],
    work: (random) => random.exponential(38),
    timeoutMs: 10_000,
    seconds: 10,
    seed,
  });
