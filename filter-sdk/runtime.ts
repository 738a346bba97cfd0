/** Between the host and a filter: what `sluice filter build` puts around its source. Filters do not import it. */
import { asked } from "./attributes";
import { Config } from "./config";
import { internAll } from "./constants";
import { Decision } from "./decision";
import { Event } from "./event";
import { Sinks } from "./sinks";
import { StateReader, StateWriter } from "./state";

export const event = new Event();
export const sinks = new Sinks();
export const decision = new Decision();

const KIND_TABLE = 2;
const KINDS: u32 = 4;
/** Of what `save` says when its state finds no room. */
const ERROR_ROOM = -1;

const arenas = new StaticArray<usize>(<i32>KINDS);
let position: usize = 0;
let index = 0;

/** The mark of the ABI; nobody calls it. */
export function sluice_abi_1(): void {}

/** Gives the host a place to write to: 16-aligned, and of no concern to the collector. */
export function sluice_arena(kind: i32, bytes: i32): usize {
  if (<u32>kind >= KINDS) return 0;
  if (arenas[kind] !== 0) heap.free(arenas[kind]);
  const at = heap.alloc(<usize>bytes);
  arenas[kind] = at;
  if (kind === KIND_TABLE) {
    // Until the host has written it, there are no sinks.
    store<u32>(at, 0);
    sinks.at = at;
  }
  return at;
}

/** What the manifest is made of; `sluice filter build` asks for it, hosts do not. */
export function sluice_sdk_manifest(): string {
  return asked();
}

/** Reads the configuration, and has constants numbered. */
export function configured(at: usize, bytes: i32): Config {
  internAll();
  return new Config(String.UTF8.decodeUnsafe(at, bytes));
}

/** Begins with a batch. */
export function begin(batch: usize, events: i32, out: usize, room: i32): void {
  position = batch;
  index = 0;
  event.sinks = decision.sinks = sinks.count;
  decision.out = out;
  decision.events = decision.used = events;
  decision.room = room;
}

/** Tells what the filter decided about the present event, and puts the next one into `event` and `decision`; false: there is none. */
export function next(): bool {
  if (index !== 0) decision.settle();
  if (index === decision.events) return false;
  event.at = position;
  position += load<u32>(position);
  decision.begin(index++);
  return true;
}

/** How many words were used. */
export function finish(): i32 {
  return decision.used;
}

/** For `save`. */
export function writer(at: usize, room: i32): StateWriter {
  return new StateWriter(at, room);
}

/** How many bytes were saved. */
export function saved(writer: StateWriter): i32 {
  return writer.fits ? writer.bytes : ERROR_ROOM;
}

/** For `restore`. */
export function reader(at: usize, bytes: i32): StateReader {
  return new StateReader(at, bytes);
}
