// What contracts cost the events of a channel that they govern, while nothing of what they ask for changes.
//
// Two hosts in one process, each with a source and eight sinks whose handlers count; one has the contracts. They take turns of a few
// milliseconds, since what a machine does beside changes slowly, and a low one of each counts.
import { nanosecondsPer } from "../core/batches.mjs";
import { quantile } from "../driver/statistics.mjs";
import { openEmbedded } from "../kecho/embedded-service.mjs";

const CHANNEL = "governed";
const CONTRACTS = 100;
const SINKS = 8;
const PAYLOAD_BYTES = 100;
const BATCH_EVENTS = 64;
/** Turns of each in a round. */
const SLICES = 50;
const SLICE_MS = 10;
/** As in batches.mjs: garbage and interrupts only ever add. */
const SHARE = 0.25;

/** @type {readonly { way: string, title: string }[]} */
export const IDLE = Object.freeze([
  { way: "idle-none", title: `an event to ${SINKS} sinks, without contracts` },
  { way: "idle-100", title: `the same, governed by ${CONTRACTS} contracts that are idle` },
]);

/**
 * Measures both ways.
 *
 * @param {number} rounds
 * @param {(way: string, repetition: number, ns: number) => void} keep
 * @throws {Error} Where contracts do not govern the channel, or not all has arrived.
 */
export async function measureIdle(rounds, keep) {
  const hosts = [await open("idle-none", 0), await open("idle-100", CONTRACTS)];
  for (let repetition = -1; repetition < rounds; repetition++) {
    const measured = hosts.map(({ way, batch }) => ({ way, batch, slices: /** @type {number[]} */ ([]) }));
    for (let slice = 0; slice < SLICES; slice++) {
      for (const { batch, slices } of slice % 2 === 0 ? measured : [...measured].reverse())
        slices.push(nanosecondsPer(batch, BATCH_EVENTS, SLICE_MS));
    }
    if (repetition >= 0) for (const { way, slices } of measured) keep(way, repetition, quantile(slices, SHARE));
  }
  for (const { end } of hosts) end();
}

/** A host whose channel so many contracts govern. @param {string} way @param {number} contracts */
async function open(way, contracts) {
  const { service, eventOf, defaultDefinition } = await openEmbedded();
  let taken = 0;
  let sent = 0;
  service.channels.put(CHANNEL, defaultDefinition);
  service.conditions.put("quiet", { kind: "value", initial: 0, observed: true });
  const onEvents = (/** @type {{ readonly length: number }} */ deliveries) => {
    taken += deliveries.length;
  };
  for (let i = 0; i < SINKS; i++) service.subscribe(CHANNEL, { onEvents });
  for (let i = 0; i < contracts; i++) service.contracts.put(`idle${i}`, contract(i));
  service.contracts.run();
  const by = service.channels.get(CHANNEL)?.layers.length ?? 0;
  if (by !== contracts) throw new Error(`${by} contracts govern the channel, not ${contracts}`);
  const events = Array.from({ length: BATCH_EVENTS }, () => eventOf(Buffer.alloc(PAYLOAD_BYTES, "x")));
  return {
    way,
    batch() {
      service.publish(CHANNEL, events);
      service.flush();
      sent += BATCH_EVENTS;
    },
    end() {
      service.close();
      if (taken !== sent * SINKS) throw new Error(`${taken} deliveries arrived of ${sent * SINKS}`);
    },
  };
}

/** One that lays over the channel what it has anyway, so that the same is decided. @param {number} index */
const contract = (index) => ({
  conditions: { quiet: { use: "quiet" } },
  select: undefined,
  order: /** @type {const} */ ("nested"),
  regions: [{ name: "beyond", when: `quiet > ${index}` }, { name: "usual" }],
  transitions: [
    {
      from: "*",
      to: "usual",
      mode: /** @type {const} */ ("sync"),
      retry: undefined,
      do: [{ configure: { channel: CHANNEL, patch: { delivery: { priority: 4 } } } }],
    },
  ],
});
