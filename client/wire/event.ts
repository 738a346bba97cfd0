/**
 * A delivered event: the bytes that came, read where somebody looks. Most programs look at few members of most events.
 */

import type { AttributeValue, ReceivedEvent } from "../../host/interface.ts";
import { mediaForm } from "../../host/socket/json/media.ts";
import { momentFromMicros } from "../../host/socket/json/moment.ts";
import { readEnd, readFixed64, readLength, readText, readVarint, skipField } from "./reader.ts";
import { readAttribute, readEntry } from "./schema.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What ids of events that their source gave none depend on, until the epoch ends. */
export interface Place {
  readonly host: string;
  readonly epoch: number;
}

/** See the head of this file. It keeps the message alive that it came in. */
export class WireEvent implements ReceivedEvent {
  readonly #bytes: Uint8Array;
  readonly #at: number;
  readonly #end: number;
  readonly #derivedId: () => string;
  /** What data and attributes are, once somebody has looked: the same objects each time. */
  #data: { readonly value?: unknown; readonly base64?: string } | undefined = undefined;
  #attributes: Readonly<Record<string, AttributeValue>> | undefined = undefined;

  constructor(bytes: Uint8Array, at: number, end: number, derivedId: () => string) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#derivedId = derivedId;
  }

  get id(): string {
    return this.#text(10) || this.#derivedId();
  }
  get source(): string {
    return this.#text(18) ?? "";
  }
  get type(): string {
    return this.#text(26) ?? "";
  }
  get subject(): string {
    return this.#text(34) as string;
  }
  get time(): string {
    return this.#moment(41) ?? "";
  }
  get priority(): number {
    return this.#whole(48) as number;
  }
  get deliverBy(): string {
    return this.#moment(57) as string;
  }
  get ttlMs(): number {
    // The host has made it a moment; both could not be published again.
    return (this.#find(57) < 0 ? this.#whole(64) : undefined) as number;
  }
  get key(): string {
    return this.#text(74) as string;
  }
  get dataContentType(): string {
    return this.#text(90) as string;
  }

  get attributes(): Readonly<Record<string, AttributeValue>> {
    if (this.#attributes === undefined) {
      const attributes: Record<string, AttributeValue> = {};
      for (let at = this.#find(82); at >= 0; at = this.#find(82, at)) {
        const end = readLength(this.#bytes, at, this.#end);
        const [name, value] = readEntry(this.#bytes, readEnd, end, readAttribute);
        if (value !== undefined) attributes[name] = value;
        at = end;
      }
      this.#attributes = attributes;
    }
    return this.#attributes;
  }

  get data(): unknown {
    return this.#content().value;
  }
  get dataBase64(): string {
    return this.#content().base64 as string;
  }

  /** The payload as it was published; a view of the message, or undefined where there is none. */
  get dataBytes(): Uint8Array | undefined {
    const at = this.#find(98);
    if (at < 0) return undefined;
    const end = readLength(this.#bytes, at, this.#end);
    return this.#bytes.subarray(readEnd, end);
  }

  /** A plain object with the members that are there. */
  toJSON(): ReceivedEvent {
    const json: Record<string, unknown> = {};
    for (const name of members) {
      const value = this[name];
      if (value === undefined || (name === "attributes" && Object.keys(this.attributes).length === 0)) continue;
      json[name] = value;
    }
    return json as unknown as ReceivedEvent;
  }

  #content(): { readonly value?: unknown; readonly base64?: string } {
    this.#data ??= contentOf(this.dataBytes, this.dataContentType ?? "");
    return this.#data;
  }

  /** Behind the first tag of that value from there on; -1 for none. */
  #find(tag: number, from = this.#at): number {
    const [bytes, end] = [this.#bytes, this.#end];
    for (let at = from; at < end; ) {
      // All tags of an event are one byte.
      if (bytes[at] === tag) return at + 1;
      const found = readVarint(bytes, at, end);
      at = skipField(bytes, readEnd, end, found & 7);
    }
    return -1;
  }

  #text(tag: number): string | undefined {
    const at = this.#find(tag);
    if (at < 0) return undefined;
    const end = readLength(this.#bytes, at, this.#end);
    return end === readEnd ? undefined : readText(this.#bytes, readEnd, end);
  }

  #whole(tag: number): number | undefined {
    const at = this.#find(tag);
    return at < 0 ? undefined : readVarint(this.#bytes, at, this.#end);
  }

  #moment(tag: number): string | undefined {
    const at = this.#find(tag);
    return at < 0 ? undefined : momentFromMicros(readFixed64(this.#bytes, at));
  }
}

const members = [
  "id",
  "source",
  "type",
  "subject",
  "time",
  "priority",
  "deliverBy",
  "ttlMs",
  "key",
  "attributes",
  "dataContentType",
  "data",
  "dataBase64",
] as const;

/** As hosts show it in JSON: what is no JSON or text by its bytes is shown as bytes, whatever it says of itself. */
function contentOf(bytes: Uint8Array | undefined, mediaType: string): { value?: unknown; base64?: string } {
  if (bytes === undefined) return {};
  const form = mediaForm(mediaType);
  if (form !== "binary") {
    try {
      const text = readText(bytes, 0, bytes.length, strict);
      return { value: form === "json" ? JSON.parse(text) : text };
    } catch {
      // Neither: as bytes.
    }
  }
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { base64: btoa(binary) };
}
