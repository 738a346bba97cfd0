// A child process with eight sinks, each a connection of its own, that handle an event as the paper's do: copy it, and print
// the time to a file.
//
// Usage: node sinks.mjs TCP_PORT. Prints a line when all have joined; then, for each line of input, how many events came so far.
import { openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { openMembers } from "../../driver/members.mjs";
import { CHANNEL, SINKS } from "./modes.mjs";

const EVENT_BYTES_MAX = 1024;

const file = path.join(tmpdir(), `bench-figure7-${process.pid}`);
const printed = openSync(file, "w");
// What is open goes on being written, and leaves nothing behind.
unlinkSync(file);
const buffer = Buffer.alloc(EVENT_BYTES_MAX);
const payload = Buffer.alloc(EVENT_BYTES_MAX, "x");

let handled = 0;
for (let i = 0; i < SINKS; i++) {
  const sink = await openMembers(Number(process.argv[2]), CHANNEL, (i + 1) / SINKS);
  let seen = 0;
  sink.wire.onProgress = () => {
    for (; seen < sink.count(); seen++, handled++) {
      payload.copy(buffer);
      writeSync(printed, `${process.hrtime.bigint()}\n`);
    }
  };
}
console.log("ready");
for await (const _ of createInterface(process.stdin)) console.log(handled);
process.exit(0);
