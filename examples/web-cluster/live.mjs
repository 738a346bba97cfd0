/**
 * The same servers and clients over real sockets, against a host that runs: eight WebSockets, and one for all clients.
 */
import { machineClock as clock } from "../lib/clock.mjs";
import { putChannel } from "../lib/put-channel.mjs";
import { Session } from "../lib/session.mjs";
import { meanOf } from "../lib/statistics.mjs";
import { openWebSocket } from "../lib/web-socket.mjs";
import { DATA, definitions, forwarding } from "./channels.mjs";
import { Client } from "./client.mjs";
import { Server } from "./server.mjs";

/** What people do not wait half a minute for: a tenth of the paper's times, and requests as short. */
const FORWARD_AFTER_MS = 250;
const TIMEOUT_MS = 1000;
const WORK_MS = 20;
const SERVERS = 8;
/** Of the first server, which can do 50; the others get a few. */
const REQUESTS_PER_SECOND = 70;
const BACKGROUND = 2;
const UPDATES_PER_SECOND = 5;

/**
 * @param {{ url: string, seconds: number, print: (line: string) => void }} options
 * @returns {Promise<{ outcomes: import("./client.mjs").Outcome[], forwarded: number, responses: number }>}
 * @throws {Error} that says what to do where no host can be reached or it refuses something.
 */
export async function runLive({ url, seconds, print }) {
  /** @type {Session[]} */
  const sessions = [];
  let refused = "";
  const open = async () => {
    const session = new Session(await openWebSocket(url), (detail) => {
      refused = detail;
    });
    sessions.push(session);
    return session;
  };
  const first = await open();
  for (const [name, definition] of Object.entries(definitions(forwarding))) await putChannel(url, name, definition);
  print(`the channel ${DATA} of ${url} decides who gets what:`);
  print(`  npx sluice channel show ${DATA}      npx sluice members ${DATA}      npx sluice sub ${DATA}`);

  const settings = {
    forwardAfterMs: FORWARD_AFTER_MS,
    copies: 2,
    cancelOnStart: true,
    updatesPerSecond: UPDATES_PER_SECOND,
    watch: true,
  };
  /** @type {Server[]} */
  const servers = [];
  for (let number = 1; number <= SERVERS; number++) {
    const session = number === 1 ? first : await open();
    servers.push(await joined((done) => new Server(`web-${number}`, session, clock, settings, done)));
  }
  const session = await open();
  const client = await joined((done) => new Client(session, clock, { timeoutMs: TIMEOUT_MS }, done));

  const endAt = clock.now() + seconds * 1000;
  const ask = (/** @type {number} */ server, /** @type {number} */ perSecond) => {
    if (clock.now() >= endAt) return;
    client.request(WORK_MS, `web-${server}`);
    clock.setTimer(() => ask(server, perSecond), -Math.log(1 - Math.random()) * (1000 / perSecond));
  };
  for (let number = 1; number <= SERVERS; number++) ask(number, number === 1 ? REQUESTS_PER_SECOND : BACKGROUND);

  let said = 0;
  while (refused === "" && (clock.now() < endAt || client.pending > 0)) {
    await new Promise((resolve) => clock.setTimer(() => resolve(undefined), Math.min(1000, seconds * 250)));
    const news = client.outcomes.slice(said);
    said = client.outcomes.length;
    print(lineOf(news, servers));
  }
  for (const one of sessions) one.close();
  for (const server of servers) server.stop();
  if (refused !== "") throw new Error(`The host refused: ${refused}`);
  const count = (/** @type {"forwarded" | "responses"} */ name) =>
    servers.reduce((sum, { counts }) => sum + counts[name], 0);
  return { outcomes: client.outcomes, forwarded: count("forwarded"), responses: count("responses") };
}

/** @param {readonly import("./client.mjs").Outcome[]} news @param {readonly Server[]} servers */
function lineOf(news, servers) {
  const of = (/** @type {string} */ served) => news.filter((one) => one.server === "web-1" && one.served === served);
  const told = (/** @type {string} */ served) => {
    const some = of(served);
    return `${String(some.length).padStart(3)} ${served}${some.length === 0 ? "" : ` (${meanOf(some.map(({ ms }) => ms)).toFixed(0)} ms)`}`;
  };
  const done = servers.map(({ counts }) => counts.local + counts.remote).join(" ");
  return `web-1: ${told("local")}, ${told("remote")}, ${told("timeout")} | done by each server: ${done}`;
}

/** @template Made @param {(done: () => void) => Made} make @returns {Promise<Made>} Once the host has answered its join. */
function joined(make) {
  return new Promise((resolve) => {
    const made = make(() => queueMicrotask(() => resolve(made)));
  });
}
