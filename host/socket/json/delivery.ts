/**
 * Finds what a delivery says in the bytes in which drain() wrote it, without taking them apart into objects.
 */
import { FieldReader } from "./proto.ts";

/** Tag of `deliver` in a HostFrame, schemas/sluice/v1/frame.proto. */
export const TAG_DELIVER = 0x0a;
const TAG_DELIVERY = 0x0a;
/** Tags of Delivery. */
const TAG_CHANNEL_NUMBER = 0x08;
const TAG_SEQUENCE = 0x10;
const TAG_EVENT = 0x1a;
const TAG_MEMBER = 0x20;

/** Reads one delivery at a time; the fields are those of the last one. */
export class DeliveryScan {
  channel = 0;
  sequence = 0;
  /** 0: the frame does not say. */
  member = 0;
  /** The event lies at [eventAt, eventEnd). */
  eventAt = 0;
  eventEnd = 0;
  readonly #reader = new FieldReader();

  /**
   * Reads the frame at `at` if it holds one plain Delivery.
   *
   * @param drained Whole size-delimited HostFrames.
   * @returns The index behind it; -1 for any other frame, and for a delivery of a shape that this core does not write.
   */
  read(drained: Uint8Array, at: number): number {
    const reader = this.#reader;
    reader.start(drained, at);
    const size = reader.varint();
    const end = reader.at + size;
    if (reader.varint() !== TAG_DELIVER || reader.varint() !== end - reader.at) return -1;
    if (reader.varint() !== TAG_DELIVERY || reader.varint() !== end - reader.at) return -1;
    this.channel = this.sequence = this.member = 0;
    this.eventAt = -1;
    while (reader.at < end) {
      switch (reader.varint()) {
        case TAG_CHANNEL_NUMBER:
          this.channel = reader.varint();
          break;
        case TAG_SEQUENCE:
          this.sequence = reader.varint();
          break;
        case TAG_MEMBER:
          this.member = reader.varint();
          break;
        case TAG_EVENT: {
          const bytes = reader.varint();
          this.eventAt = reader.at;
          this.eventEnd = reader.at + bytes;
          reader.at += bytes;
          break;
        }
        default:
          return -1;
      }
    }
    return reader.failed || reader.at !== end || this.eventAt < 0 ? -1 : end;
  }
}
