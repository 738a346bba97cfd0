/** What comes in: deliveries by hand, since there may be millions; all else by tables. */
import { type Place, WireEvent } from "./event.ts";
import { type HostFrames, readHostFrame } from "./frames.ts";
import { readEnd, readLength, readVarint, skipField } from "./reader.ts";

/** One delivery. */
export class Delivery {
  /** Dense count of the inbox's deliveries, from 1. */
  number = 0;
  /** How often it was delivered, this time included. */
  attempt = 1;
  channelNumber = 0;
  sequence = 0;
  /** Member that it was selected for, where a session has joined the channel in several ways. */
  member = 0;
  readonly #place: Place;
  #epoch = 0;
  #bytes: Uint8Array = none;
  #at = 0;
  #end = 0;
  #event: WireEvent | undefined = undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Incarnation of the host's core that has counted `sequence`. */
  get epoch(): number {
    return this.#epoch || this.#place.epoch;
  }

  /** Read at the first look. */
  get event(): WireEvent {
    this.#event ??= new WireEvent(this.#bytes, this.#at, this.#end, () => this.#id());
    return this.#event;
  }

  #id(): string {
    const { host } = this.#place;
    return `${host}-${this.epoch.toString(36)}-${this.channelNumber.toString(36)}-${this.sequence.toString(36)}`;
  }

  /** Reads one as it lies there. */
  static read(bytes: Uint8Array, from: number, end: number, place: Place): Delivery {
    const delivery = new Delivery(place);
    delivery.#bytes = bytes;
    for (let at = from; at < end; ) {
      const tag = readVarint(bytes, at, end);
      at = readEnd;
      if ((tag & 7) !== 0) {
        const next = skipField(bytes, at, end, tag & 7);
        if (tag === 26) {
          delivery.#at = readLengthEnd(bytes, at, next);
          delivery.#end = next;
        }
        at = next;
        continue;
      }
      const value = readVarint(bytes, at, end);
      at = readEnd;
      if (tag === 8) delivery.channelNumber = value;
      else if (tag === 16) delivery.sequence = value;
      else if (tag === 32) delivery.member = value;
      else if (tag === 40) delivery.#epoch = value;
      else if (tag === 48) delivery.attempt = value;
      else if (tag === 56) delivery.number = value;
    }
    return delivery;
  }
}

const none = new Uint8Array(0);

/** Behind a length that was read before. */
function readLengthEnd(bytes: Uint8Array, at: number, end: number): number {
  readLength(bytes, at, end);
  return readEnd;
}

/** Whoever hears what a message has. */
export interface MessageReader {
  readonly place: Place;
  /** @param bytes What it takes of credit. */
  onDelivery(delivery: Delivery, bytes: number): void;
  onFrame(frame: Partial<HostFrames>): void;
}

/** Reads a message: whole frames, each behind its size. @throws {SluiceError} `malformed`. */
export function readMessage(bytes: Uint8Array, reader: MessageReader): void {
  const { length } = bytes;
  for (let at = 0; at < length; ) {
    const from = at;
    const end = readLength(bytes, at, length);
    at = readEnd;
    // Deliver is field 1 of a frame, its deliveries are field 1 of it.
    if (bytes[at] !== 10) reader.onFrame(readHostFrame(bytes, at, end));
    else {
      const deliverEnd = readLength(bytes, at + 1, end);
      let share = end - from;
      for (let next = readEnd; next < deliverEnd; ) {
        const entryEnd = readLength(bytes, next + 1, deliverEnd);
        reader.onDelivery(Delivery.read(bytes, readEnd, entryEnd, reader.place), share);
        share = 0;
        next = entryEnd;
      }
    }
    at = end;
  }
}
