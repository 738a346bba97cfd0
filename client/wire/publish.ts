/** Events as they go out: written once, straight into the frame that they leave in. */

import type { EventInput } from "../../host/interface.ts";
import { mediaForm } from "../../host/socket/json/media.ts";
import { microsFromMoment } from "../../host/socket/json/moment.ts";
import { SluiceError } from "../errors.ts";
import { writeAttributes } from "./schema.ts";
import { varintBytes, type Writer } from "./writer.ts";

/** Room in front of the events of a publish for everything that is known only when it leaves. */
export const PUBLISH_HEAD_BYTES = 48;

/**
 * Writes an event as one of the events of a publish.
 *
 * @returns Its bytes, as credit counts.
 * @throws {SluiceError} for what is no event; the writer is as it was then.
 */
export function writeEvent(writer: Writer, event: EventInput): number {
  const before = writer.at;
  try {
    writer.varint(26);
    const start = writer.open();
    writeMembers(writer, event);
    const bytes = writer.at - start;
    writer.close(start);
    return bytes;
  } catch (error) {
    writer.at = before;
    throw error;
  }
}

function writeMembers(writer: Writer, event: EventInput): void {
  for (const name in event) {
    const value: unknown = event[name as keyof EventInput];
    if (value === undefined) continue;
    switch (name) {
      case "id":
        text(writer, 10, name, value);
        break;
      case "source":
        text(writer, 18, name, value);
        break;
      case "type":
        text(writer, 26, name, value);
        break;
      case "subject":
        text(writer, 34, name, value);
        break;
      case "time":
        moment(writer, 41, name, value);
        break;
      case "priority":
        whole(writer, 48, name, value);
        break;
      case "deliverBy":
        moment(writer, 57, name, value);
        break;
      case "ttlMs":
        whole(writer, 64, name, value);
        break;
      case "key":
        text(writer, 74, name, value);
        break;
      case "attributes":
        if (typeof value !== "object" || value === null) throw invalid(name, value, "an object");
        writeAttributes(writer, 10, checked(value));
        break;
      case "dataContentType":
        text(writer, 90, name, value);
        break;
      case "data":
        if (event.dataBase64 !== undefined) {
          throw new SluiceError("contradiction", "Cannot publish an event with data and dataBase64", {
            value: ["data", "dataBase64"],
          });
        }
        writeData(writer, value, event.dataContentType);
        break;
      case "dataBase64":
        writer.varint(98);
        writer.chunk(base64(value));
        break;
      default:
        throw new SluiceError("unknown_field", `Cannot take the field ${JSON.stringify(name)}, an event has none`, {
          value: name,
        });
    }
  }
}

function writeData(writer: Writer, data: unknown, mediaType: string | undefined): void {
  if (data instanceof Uint8Array) {
    // Bytes that say nothing of themselves would pass for JSON.
    if (mediaType === undefined) text(writer, 90, "dataContentType", "application/octet-stream");
    writer.varint(98);
    return writer.chunk(data);
  }
  const written = mediaForm(mediaType ?? "") === "json" ? jsonOf(data) : data;
  if (typeof written !== "string") throw invalid("data", data, mediaType ?? "a value that JSON can say");
  writer.varint(98);
  writer.text(written);
}

/** Undefined for what JSON cannot say. */
function jsonOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    // A bigint, or something that is within itself.
    return undefined;
  }
}

function text(writer: Writer, tag: number, name: string, value: unknown): void {
  if (typeof value !== "string") throw invalid(name, value, "a text");
  writer.varint(tag);
  writer.text(value);
}

function whole(writer: Writer, tag: number, name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(name, value, "a whole number from 0");
  writer.varint(tag);
  writer.varint(value as number);
}

function moment(writer: Writer, tag: number, name: string, value: unknown): void {
  const micros = typeof value === "string" ? microsFromMoment(value) : undefined;
  if (micros === undefined) throw invalid(name, value, "a moment as in RFC 3339");
  writer.varint(tag);
  writer.fixed64(micros);
}

function checked(attributes: object): Readonly<Record<string, boolean | number | string | undefined>> {
  for (const [name, value] of Object.entries(attributes)) {
    const known = typeof value === "string" || typeof value === "boolean" || value === undefined;
    if (!known && !Number.isFinite(value)) throw invalid(`attributes.${name}`, value, "a boolean, number or text");
  }
  return attributes as Readonly<Record<string, boolean | number | string>>;
}

function base64(value: unknown): Uint8Array {
  try {
    return Uint8Array.from(atob(String(value)), (letter) => letter.charCodeAt(0));
  } catch {
    throw invalid("dataBase64", value, "base64");
  }
}

function invalid(name: string, value: unknown, limit: string): SluiceError {
  const shown = typeof value === "number" || typeof value === "string" ? String(value).slice(0, 64) : typeof value;
  return new SluiceError("invalid_value", `Cannot publish an event whose ${name} is ${shown}, it must be ${limit}`, {
    value: name,
    limit,
  });
}

/**
 * Puts what belongs in front of the events of a publish.
 *
 * @param writer Made with PUBLISH_HEAD_BYTES, with events behind it. It may be framed again, for another carrier.
 * @returns The frame behind its size, as a view of the writer.
 */
export function publishFrame(
  writer: Writer,
  channelNumber: number,
  number: number,
  ref: number | undefined,
): Uint8Array<ArrayBuffer> {
  const { at: end } = writer;
  const events = end - PUBLISH_HEAD_BYTES;
  const publish = events + 1 + varintBytes(channelNumber) + 1 + varintBytes(number);
  const frame = publish + 1 + varintBytes(publish) + (ref === undefined ? 0 : 1 + varintBytes(ref));
  const from = PUBLISH_HEAD_BYTES - (frame - events) - varintBytes(frame);
  writer.at = from;
  writer.varint(frame);
  if (ref !== undefined) {
    writer.varint(8);
    writer.varint(ref);
  }
  writer.varint(18);
  writer.varint(publish);
  writer.varint(16);
  writer.varint(channelNumber);
  writer.varint(32);
  writer.varint(number);
  writer.at = end;
  return writer.done(from);
}
