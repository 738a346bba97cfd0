// A thousand sinks that say a hundred times a second how loaded they are, from as many sessions or from few: what it costs the host.
import { setTimeout as sleep } from "node:timers/promises";
import { startSluice } from "../peers/sluice-process.mjs";
import { bindRoute } from "./bind.mjs";
import { openMembers } from "./members.mjs";
import { cpuSecondsExact } from "./process.mjs";

const CHANNEL = "loads0";
const WANTED_HZ = 100;
/** Of the sinks' updates some are prepared and sent in turn. */
const FRAMES = 16;
/** Writes after which the driver lets others run. */
const SLICE = 50;
const WARM_SECONDS = 0.5;

/**
 * Updates as often as the machine lets the driver, at most 100 times a second each.
 *
 * @param {number} count Sessions, each a connection. @param {number} sinks Of each. @param {number} seconds
 * @returns {Promise<{ updatesPerSecond: number, cpuUsPerUpdate: number, cpuPercent: number }>} `cpuPercent` of one core is what the wanted
 *   number of updates costs, by the CPU time per update at the rate that was reached.
 */
export async function measureUpdates(count, sinks, seconds) {
  const child = await startSluice();
  /** @type {Awaited<ReturnType<typeof openMembers>>[]} */
  const sessions = [];
  try {
    for (let i = 0; i < count; i++) sessions.push(await openMembers(child.tcpPort, CHANNEL, i / count, sinks));
    await bindRoute(child.port, CHANNEL, "out", { orderBy: "sink.load", limit: 1 });
    const loadOf = (/** @type {number} */ index, /** @type {number} */ turn) =>
      ((index * 7919 + turn * 104_729) % 100_003) / 100_003;
    const writes = sessions.map((session, place) =>
      Array.from({ length: FRAMES }, (_, turn) => session.update((index) => loadOf(place * sinks + index, turn))),
    );
    const send = async (/** @type {number} */ forSeconds) => {
      const start = performance.now();
      let sent = 0;
      for (let turn = 0; performance.now() - start < forSeconds * 1000; turn++) {
        for (const [index, { wire }] of sessions.entries()) {
          wire.socket.write(/** @type {Buffer} */ (writes[index]?.[turn % FRAMES]));
          sent += sinks;
          if (index % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await sleep(Math.max(0, start + ((turn + 1) * 1000) / WANTED_HZ - performance.now()));
      }
      return { sent, seconds: (performance.now() - start) / 1000 };
    };
    await send(WARM_SECONDS);
    const before = cpuSecondsExact(child.pid);
    const told = await send(seconds);
    const cpu = cpuSecondsExact(child.pid) - before;
    const failure = sessions.find(({ wire }) => wire.failure)?.wire.failure;
    if (failure) throw failure;
    const cpuUsPerUpdate = (cpu / told.sent) * 1e6;
    return {
      updatesPerSecond: told.sent / told.seconds,
      cpuUsPerUpdate,
      cpuPercent: cpuUsPerUpdate * count * sinks * WANTED_HZ * 1e-4,
    };
  } finally {
    for (const { wire } of sessions) wire.close();
    await child.end();
  }
}
