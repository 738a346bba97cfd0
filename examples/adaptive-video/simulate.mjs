/**
 * Cameras, a viewer and a real host between them, in virtual time. The host counts, evaluates, filters, orders and drops; nothing here does.
 */
import { conditionFromJson, contractFromJson, definitionFromJson } from "sluice";
import { openSimulatedHost } from "../lib/simulated-host.mjs";
import { CHANNEL, conditions, contractFor } from "./contract.mjs";

/** One way between anybody and the host. */
const LATENCY_MS = 0.25;
/** Joins are through. */
const SETTLED_MS = 50;
/** What the viewer takes for one frame. */
const WORK_MS = 5;
/** Of each camera; every so manyth frame stands by itself. */
const FRAMES_PER_SECOND = 30;
const KEY_EVERY = 5;
/** How long a frame is worth something. */
const FRAME_TTL_MS = 400;
/** How often the viewer tells its lag, and the run is written down. */
const TELL_MS = 100;
/** Seconds: few cameras, then too many, then few again. */
export const phases = Object.freeze([
  { untilS: 8, cameras: 4 },
  { untilS: 20, cameras: 10 },
  { untilS: 30, cameras: 4 },
]);

/** @typedef {{ atS: number, lagMs: number, said: number, taken: number, region: string }} Sample What was so in a tenth of a second. */

/**
 * @param {{ governed: boolean, seed: number }} options
 * @returns {Promise<{ governed: boolean, samples: Sample[], transitions: { atS: number, to: string, why: string }[] }>}
 */
export async function simulate({ governed, seed }) {
  const { time, service, open, close } = await openSimulatedHost({ seed });
  service.channels.put(CHANNEL, definitionFromJson({}));
  for (const [name, condition] of Object.entries(conditions))
    service.conditions.put(name, conditionFromJson(condition, name));
  const viewer = open(LATENCY_MS);
  const run = { said: 0, taken: 0, lagMs: 0 };
  viewer.credit(1);
  viewer.join({
    channel: CHANNEL,
    onEvent: ({ data }) => {
      const { at } = /** @type {{ at: number }} */ (data);
      run.taken++;
      run.lagMs = Math.max(run.lagMs, time.now() - at);
      time.setTimer(() => viewer.credit(1), WORK_MS - 2 * LATENCY_MS);
    },
  });
  time.runUntil(SETTLED_MS);
  const [inbox] = [...service.inboxes.list()].map(({ id }) => id);
  if (governed) service.contracts.put("video", contractFromJson(contractFor(String(inbox)), "video"));
  const source = open(LATENCY_MS).join({ channel: CHANNEL, role: "source" });
  time.runUntil(2 * SETTLED_MS);
  const from = time.now();
  const endS = phases.at(-1)?.untilS ?? 0;
  const most = Math.max(...phases.map(({ cameras }) => cameras));
  for (let camera = 0; camera < most; camera++) film(camera, most);
  /** @type {Sample[]} */
  const samples = [];
  const tell = () => {
    const atS = (time.now() - from) / 1000;
    const region = governed ? (service.contracts.state("video").path[0] ?? "") : "full";
    samples.push({ atS, region, lagMs: run.lagMs, said: run.said, taken: run.taken });
    viewer.set({ lag: run.lagMs });
    Object.assign(run, { said: 0, taken: 0, lagMs: 0 });
    if (atS < endS) time.setTimer(tell, TELL_MS);
  };
  time.setTimer(tell, TELL_MS);
  time.runUntil(from + endS * 1000 + TELL_MS);
  const transitions = governed
    ? service.contracts.history("video").map(({ at, to, why }) => ({
        // The first is found before anything is said.
        atS: Math.max(0, (at - from) / 1000),
        to: to.join("/"),
        why: `${why.when ?? "else"}, lag ${Math.round(Number(why.values.lag))} ms, rate ${Math.round(Number(why.values.rate))}/s`,
      }))
    : [];
  close();
  return { governed, samples, transitions };

  /** One camera, as long as there are that many. @param {number} camera @param {number} cameras */
  function film(camera, cameras) {
    let frame = camera;
    const gapMs = 1000 / FRAMES_PER_SECOND;
    const shoot = () => {
      const atS = (time.now() - from) / 1000;
      const phase = phases.find(({ untilS }) => atS < untilS);
      if (phase === undefined) return;
      time.setTimer(shoot, gapMs);
      frame++;
      if (camera >= phase.cameras) return;
      run.said++;
      const type = frame % KEY_EVERY === 0 ? "key" : "delta";
      source.publish({ type, key: `camera-${camera}`, ttlMs: FRAME_TTL_MS, data: { at: time.now() } });
    };
    time.setTimer(shoot, (camera / cameras) * gapMs);
  }
}
