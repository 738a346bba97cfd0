// The process of steady-heap.mjs: `node --expose-gc steady-heap-child.mjs EVENTS` prints bytes per event.
import path from "node:path";
import { setImmediate as yieldTurn } from "node:timers/promises";
import { DelimitedStepper } from "../driver/delimited-stepper.mjs";
import {
  creditFrame,
  encodeEvent,
  inboxFrame,
  joinFrame,
  publishFrame,
  readHostFrame,
} from "../driver/sluice-frames.mjs";

const CHANNEL = "steady";
const BATCH = 64;
const WAITING = 1_000;
const FRAMES = 64;
/** Batches of one turn of the loop. */
const TURNS = 16;

const { createHost, silentLog } = /** @type {typeof import('../../host/index.ts')} */ (
  await import(path.join(import.meta.dirname, "../../dist/index.js"))
);
const { service } = await createHost({ log: silentLog });

/** A session over a function: it takes what is written and keeps nothing of it. @param {string} role */
function open(role) {
  const numbers = { channel: 0 };
  const stepper = new DelimitedStepper({
    other(frame) {
      const said = readHostFrame(frame);
      if (said.kind === "joined") numbers.channel = said.channelNumber;
    },
  });
  const connection = service.openConnection("stream", {
    write(bytes) {
      stepper.consume(/** @type {Buffer} */ (bytes), 0, bytes.length);
      return true;
    },
    pendingBytes: () => 0,
    end() {},
    destroy() {},
  });
  if (role === "sink") {
    connection.receive(inboxFrame({ ordering: "priority+deadline" }));
    connection.receive(creditFrame({ events: 0, bytes: 1e12 }));
  }
  connection.receive(joinFrame(CHANNEL, /** @type {'sink' | 'source'} */ (role), 1));
  service.settle();
  return { connection, stepper, numbers };
}

const sink = open("sink");
const source = open("source");
const payload = Buffer.alloc(100, "x");
const frames = Array.from({ length: FRAMES }, (_, frame) => {
  const events = Array.from({ length: BATCH }, (_, index) => {
    const priority = (frame * 7 + index) % 10;
    return encodeEvent(
      { channel: CHANNEL, payload, priority, ttlMs: 60_000 + ((frame * 64 + index) % 997) },
      "/bench/10",
    );
  });
  return publishFrame(source.numbers.channel, events);
});
const credit = creditFrame({ events: BATCH });
let sent = 0;
const publish = () => {
  source.connection.receive(/** @type {Buffer} */ (frames[(sent / BATCH) % FRAMES]));
  sent += BATCH;
  service.settle();
};
while (sent < WAITING) publish();
const waiting = sent;

/** @param {number} events */
async function pass(events) {
  for (const end = sent + events; sent < end; ) {
    for (let turns = 0; turns < TURNS && sent < end; turns++) {
      publish();
      sink.connection.receive(credit);
      service.settle();
    }
    // What the host has put off until the next turn of the loop has its turn.
    await yieldTurn();
  }
  if (sent - sink.stepper.count !== waiting) throw new Error(`${sent} events sent, ${sink.stepper.count} delivered`);
}

/** Twice: what the first time only queues to be freed is freed the second. */
function weigh() {
  const { gc } = /** @type {{ gc: () => void }} */ (/** @type {unknown} */ (globalThis));
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const events = Number(process.argv[2]);
await pass(events);
const before = weigh();
await pass(events);
process.stdout.write(String((weigh() - before) / events));
process.exit(0);
