/**
 * The plant and its receiver in virtual time, with a real host between them: it drops, orders and chooses, nothing here does.
 */
import { definitionFromJson } from "sluice";
import { openSimulatedHost } from "../lib/simulated-host.mjs";
import { accountOf } from "./account.mjs";
import { definitionOf, pace, streamsOf } from "./mix.mjs";
import { Receiver } from "./receiver.mjs";
import { Sources } from "./sources.mjs";

/** One way between anybody and the host. */
const LATENCY_MS = 0.25;
/** Joins are through. */
const SETTLED_MS = 50;

/**
 * Runs the mix under one ordering.
 *
 * @param {{ ordering: string, seconds: number, seed: number }} options
 * @returns {Promise<{ ordering: string, lines: import("./account.mjs").Line[] }>} The same for the same options.
 */
export async function simulate({ ordering, seconds, seed }) {
  const { serviceMs, periodMs } = pace;
  const { time, service, open, close } = await openSimulatedHost({ seed });
  for (const { channel, of } of streamsOf())
    service.channels.put(channel, definitionFromJson(definitionOf(of, periodMs)));
  const receiver = new Receiver(open(LATENCY_MS), time, { ordering, serviceMs, workMs: serviceMs - 2 * LATENCY_MS });
  for (const { channel } of streamsOf()) receiver.join(channel);
  time.runUntil(SETTLED_MS);
  const sources = new Sources(open(LATENCY_MS), time, { pace, untilMs: seconds * 1000, seed });
  // What was said last is delivered or too late by then.
  time.runUntil(SETTLED_MS + seconds * 1000 + 2 * periodMs);
  close();
  return { ordering, lines: accountOf({ sent: sources.sent, ...receiver, latencyMs: 2 * LATENCY_MS }) };
}
