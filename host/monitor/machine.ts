/**
 * Reads the machine that this process runs on, by node:os, which Deno and Bun have too.
 */
import { availableParallelism, cpus, freemem, loadavg, totalmem } from "node:os";
import process from "node:process";
import type { MachineReadings } from "./load.ts";

/** The readings of this machine. Each call asks the system; none of them keeps anything open. */
export function createMachineReadings(): MachineReadings {
  return {
    cores: availableParallelism(),
    cpuTimes() {
      let busy = 0;
      let total = 0;
      for (const { times } of cpus()) {
        const working = times.user + times.nice + times.sys + times.irq;
        busy += working;
        total += working + times.idle;
      }
      return { busy, total };
    },
    memory() {
      const totalBytes = totalmem();
      // On Linux this counts what could be had without swapping (MemAvailable), not what happens to be unused.
      return { usedBytes: totalBytes - freemem(), totalBytes };
    },
    residentBytes: () => process.memoryUsage.rss(),
    loadAverage() {
      const [one = 0, five = 0, fifteen = 0] = loadavg();
      return [one, five, fifteen];
    },
  };
}
