/**
 * The two phases of `sluice bench`: throughput in a closed loop, latency at a fixed rate.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../gen/sluice/v1/event_pb.ts";
import type { Peer, PeerEvents } from "./bench-peers.ts";
import { CliError } from "./failure.ts";
import { publishFrame } from "./frames.ts";
import { figure } from "./style.ts";
import type { Terminal } from "./terminal.ts";

/** What is published. */
export interface Load {
  readonly events: number;
  /** Data of each event. */
  readonly bytes: number;
  /** Events per second of the latency phase, and how long it takes. */
  readonly rate: number;
  readonly seconds: number;
}

/** What the latency phase found. */
export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly lost: number;
}

/** Published and not yet delivered to the slowest sink: enough to keep every buffer busy, an eighth of an inbox's 16 MiB. */
const AHEAD_BYTES = 2 * 2 ** 20;
const AHEAD_EVENTS = 8_192;
const FRAME_EVENTS_MAX = 512;
const FRAME_BYTES = 65_536;
/** No delivery for so long: what is missing is lost. */
const SILENCE_MS = 5_000;
const STAMP_BYTES = 8;
const WARM_UP_FRACTION = 0.1;
/** 16 MiB of samples; a longer run keeps its first ones. */
const SAMPLES_MAX = 2_000_000;

/** What all peers of one run share: somebody waits for a condition, every arrival looks whether it holds. */
export interface Run {
  readonly events: PeerEvents;
  /** Resolves when `ready` holds; false when nothing moved for SILENCE_MS. Throws when a peer fails or we are stopped. */
  until(ready: () => boolean): Promise<boolean>;
  end(): void;
}

/** Starts watching; `terminal.stop` counts as a failure. */
export function createRun(terminal: Terminal): Run {
  let failure: CliError | undefined;
  let ended = false;
  let moved = terminal.clock.now();
  let wake: () => void = () => undefined;
  const fail = (reason: CliError): void => {
    if (!ended) failure ??= reason;
    wake();
  };
  terminal.stop.addEventListener("abort", () => fail(new CliError("stopped")), { once: true });
  return {
    events: {
      onProgress() {
        moved = terminal.clock.now();
        wake();
      },
      onFailure: fail,
    },
    async until(ready) {
      moved = terminal.clock.now();
      while (!ready()) {
        if (failure !== undefined) throw failure;
        const left = moved + SILENCE_MS - terminal.clock.now();
        if (left <= 0) return false;
        await new Promise<void>((resolve) => {
          const cancel = terminal.clock.setTimer(resolve, left);
          wake = () => {
            cancel();
            resolve();
          };
        });
      }
      return true;
    },
    end() {
      ended = true;
    },
  };
}

/** Publishes as fast as the slowest sink takes it. The seconds are from the first write to the last delivery. */
export async function throughput(
  source: Peer,
  sinks: readonly Peer[],
  options: Load,
  run: Run,
  terminal: Terminal,
): Promise<{ seconds: number; lost: number }> {
  const event = toBinary(
    EventSchema,
    create(EventSchema, { type: "bench", data: new Uint8Array(options.bytes).fill(0x78) }),
  );
  const perFrame = Math.max(1, Math.min(FRAME_EVENTS_MAX, Math.floor(FRAME_BYTES / event.length)));
  const ahead = Math.max(perFrame, Math.min(AHEAD_EVENTS, Math.floor(AHEAD_BYTES / event.length)));
  const frame = publishFrame(source.channelNumber, new Array<Uint8Array>(perFrame).fill(event));
  let sent = 0;
  const startedAt = terminal.clock.now();
  while (sent < options.events) {
    const count = Math.min(perFrame, options.events - sent);
    const bytes = count * event.length;
    const ready = (): boolean =>
      !source.socket.writableNeedDrain &&
      sent + count - slowest(sinks) <= ahead &&
      source.credit.events >= count &&
      source.credit.bytes >= bytes;
    if (!ready() && !(await run.until(ready))) {
      throw new CliError(
        `nothing moved for ${SILENCE_MS} ms after ${sent} events (${receivedBy(sinks)} deliveries arrived)`,
      );
    }
    source.credit.events -= count;
    source.credit.bytes -= bytes;
    source.write(
      count === perFrame ? frame : publishFrame(source.channelNumber, new Array<Uint8Array>(count).fill(event)),
    );
    sent += count;
    terminal.progress(() => `throughput: ${figure(sent)} of ${figure(options.events)} events`);
  }
  await run.until(() => slowest(sinks) >= options.events);
  return {
    seconds: Math.max(1e-6, (terminal.clock.now() - startedAt) / 1000),
    lost: options.events * sinks.length - receivedBy(sinks),
  };
}

/** Publishes at a fixed rate, each event in a write of its own, and collects the milliseconds until each delivery. */
export async function latency(
  source: Peer,
  sinks: readonly Peer[],
  options: Load,
  run: Run,
  terminal: Terminal,
): Promise<Latencies> {
  const total = Math.round(options.rate * options.seconds);
  const latencies: number[] = [];
  const before = receivedBy(sinks);
  run.events.onData = (data) => {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (data.length >= STAMP_BYTES && latencies.length < SAMPLES_MAX)
      latencies.push(terminal.clock.now() - view.getFloat64(0));
  };
  const data = new Uint8Array(Math.max(STAMP_BYTES, options.bytes));
  const stamp = new DataView(data.buffer);
  const startedAt = terminal.clock.now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.ceil(((terminal.clock.now() - startedAt) * options.rate) / 1000));
    for (; sent < due && source.credit.events > 0; sent += 1) {
      source.credit.events -= 1;
      stamp.setFloat64(0, terminal.clock.now());
      source.write(
        publishFrame(source.channelNumber, [toBinary(EventSchema, create(EventSchema, { type: "bench", data }))]),
      );
    }
    terminal.progress(() => `latency: ${figure(sent)} of ${figure(total)} events`);
    if (source.credit.events === 0 && !(await run.until(() => source.credit.events > 0))) break;
    await new Promise<void>((resolve) => void terminal.clock.setTimer(resolve, 1));
  }
  await run.until(() => receivedBy(sinks) - before >= total * sinks.length);
  run.events.onData = undefined;
  // The first part warms up both sides.
  const counted = latencies.slice(Math.floor(latencies.length * WARM_UP_FRACTION)).sort((a, b) => a - b);
  return {
    p50Ms: quantile(counted, 0.5),
    p99Ms: quantile(counted, 0.99),
    maxMs: quantile(counted, 1),
    lost: total * sinks.length - (receivedBy(sinks) - before),
  };
}

function slowest(sinks: readonly Peer[]): number {
  return sinks.reduce((least, sink) => Math.min(least, sink.received()), Number.POSITIVE_INFINITY);
}

function receivedBy(sinks: readonly Peer[]): number {
  return sinks.reduce((sum, sink) => sum + sink.received(), 0);
}

/** Milliseconds with three digits; 0 without samples. */
function quantile(sorted: readonly number[], q: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return Number(value.toFixed(3));
}
