// A child process with one of the sinks, which handles an event as the paper's do: copies it, and prints the time to a file. Each sink
// is a process of its own, as subscribers are: whoever is written to has to be woken up, and that is part of what an event costs.
//
// Usage: node sink.mjs TCP_PORT LOAD. Prints a line when it has joined; then, for each line of input, how many events came so far.
import { openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { openMembers } from "../../driver/members.mjs";
import { CHANNEL } from "./modes.mjs";

const EVENT_BYTES_MAX = 1024;

const file = path.join(tmpdir(), `bench-figure7-${process.pid}`);
const printed = openSync(file, "w");
// What is open goes on being written, and leaves nothing behind.
unlinkSync(file);
const buffer = Buffer.alloc(EVENT_BYTES_MAX);
const payload = Buffer.alloc(EVENT_BYTES_MAX, "x");

let handled = 0;
const sink = await openMembers(Number(process.argv[2]), CHANNEL, Number(process.argv[3]));
sink.wire.onProgress = () => {
  for (; handled < sink.count(); handled++) {
    payload.copy(buffer);
    writeSync(printed, `${process.hrtime.bigint()}\n`);
  }
};
console.log("ready");
for await (const _ of createInterface(process.stdin)) console.log(handled);
process.exit(0);
