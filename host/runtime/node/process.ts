/** What every runtime tells of its process. */
import process from "node:process";

/** Resident memory and CPU time of this process so far. */
export function processStatistics(): Readonly<Record<string, number>> {
  const cpu = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSecondsTotal: (cpu.user + cpu.system) / 1e6 };
}
