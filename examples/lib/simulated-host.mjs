/**
 * A real host in virtual time, and sessions with it: what a simulation needs.
 */
import { createHost, silentLog } from "sluice";
import { openMemorySocket } from "./memory-socket.mjs";
import { Session } from "./session.mjs";
import { VirtualTime } from "./virtual-time.mjs";

/** Ample for tens of thousands of events, and quickly made. */
const MEMORY_BYTES = 64 * 2 ** 20;

/**
 * @param {{ seed: number, measure?: (task: string, run: () => void) => void, taskOf?: (text: string) => string }} options
 *   `measure` and `taskOf` as of a memory socket.
 */
export async function openSimulatedHost({ seed, ...meter }) {
  const time = new VirtualTime();
  const host = await createHost({
    clocks: { service: time, real: time },
    memoryBytes: MEMORY_BYTES,
    log: silentLog,
    hostId: "simulated",
    // The core's own choices by chance begin with its epoch, so this is its seed.
    epoch: seed,
  });
  const { service } = host;
  // What a host does at the end of a turn of the event loop, it does here at the end of each step.
  time.afterEach = () => service.settle();
  return {
    time,
    service,
    /** A session whose messages take so long, each way. @param {number} latencyMs */
    open: (latencyMs) =>
      new Session(openMemorySocket(service, time, { latencyMs, ...meter }), (detail) => {
        throw new Error(`The host refused: ${detail}`);
      }),
    close: () => host.close(),
  };
}
