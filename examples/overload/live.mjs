/**
 * The same plant and receiver over real sockets, against a host that runs: one ordering after the other.
 */
import { machineClock as clock } from "../lib/clock.mjs";
import { putChannel } from "../lib/put-channel.mjs";
import { Session } from "../lib/session.mjs";
import { percent } from "../lib/table.mjs";
import { openWebSocket } from "../lib/web-socket.mjs";
import { accountOf } from "./account.mjs";
import { definitionOf, orderings, pace, streamsOf } from "./mix.mjs";
import { Receiver } from "./receiver.mjs";
import { Sources } from "./sources.mjs";

/** Of the time for one event: the rest goes to timers and the way. */
const OWN_SHARE = 0.85;
/** What the way may take here, where nobody has set it. */
const LATENCY_MS = 20;

/**
 * @param {{ url: string, seconds: number, print: (line: string) => void }} options `seconds` of each ordering.
 * @returns {Promise<import("./plots.mjs").Run[]>}
 * @throws {Error} that says what to do where no host can be reached or it refuses something.
 */
export async function runLive({ url, seconds, print }) {
  const runs = [];
  for (const ordering of orderings) {
    const run = { ordering, lines: await underOrdering(url, ordering, seconds) };
    print(
      `${ordering}: ${run.lines.map(({ name, met, sent, violated }) => `${name} ${percent(met / sent)} in time, ${violated} windows broken`).join("; ")}`,
    );
    runs.push(run);
  }
  return runs;
}

/** @param {string} url @param {string} ordering @param {number} seconds */
async function underOrdering(url, ordering, seconds) {
  let refused = "";
  const open = async () =>
    new Session(await openWebSocket(url), (detail) => {
      refused = detail;
    });
  const sessions = [await open(), await open()];
  const [taking, saying] = /** @type {[Session, Session]} */ (sessions);
  for (const { channel, of } of streamsOf()) await putChannel(url, channel, definitionOf(of, pace.periodMs));
  const receiver = new Receiver(taking, clock, {
    ordering,
    serviceMs: pace.serviceMs,
    workMs: pace.serviceMs * OWN_SHARE,
  });
  await Promise.all(
    streamsOf().map(({ channel }) => new Promise((joined) => receiver.join(channel, () => joined(undefined)))),
  );
  const sources = new Sources(saying, clock, { pace, untilMs: seconds * 1000, seed: 1 });
  await passed(seconds * 1000 + 3 * pace.periodMs);
  for (const session of sessions) session.close();
  if (refused !== "") throw new Error(`The host refused: ${refused}`);
  return accountOf({ sent: sources.sent, ...receiver, latencyMs: LATENCY_MS });
}

/** @param {number} ms */
function passed(ms) {
  return new Promise((resolve) => clock.setTimer(() => resolve(undefined), ms));
}
