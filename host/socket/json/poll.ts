/**
 * Answers to polls: entries of an inbox as JSON text, in the shape of the entries of a deliver frame.
 *
 *   {"data":[{"number":7,"channel":"c","member":"m3","sequence":9,"epoch":1,"attempt":1,"event":{…}},…],"next":null}
 */
import type { InboxEntry, Polled } from "../../session/mailbox-view.ts";
import { type DerivedId, EventRenderer } from "./event-renderer.ts";
import { bytesOf } from "./scan.ts";
import { Sink } from "./sink.ts";

const part = {
  head: bytesOf('{"data":['),
  number: bytesOf('{"number":'),
  channel: bytesOf(',"channel":'),
  member: bytesOf(',"member":"m'),
  sequence: bytesOf('"sequence":'),
  epoch: bytesOf(',"epoch":'),
  attempt: bytesOf(',"attempt":'),
  event: bytesOf(',"event":'),
};
/** Room for the fixed parts of an entry and its numbers. */
const ENTRY_BYTES = 256;
/** The buffer at the beginning, and the most that is kept between calls. */
const OUT_BYTES = 65_536;
const OUT_BYTES_KEPT = 1_048_576;

/** Renders answers, one at a time; one serves all inboxes of a host. */
export class PollRenderer {
  readonly #events = new EventRenderer();
  readonly #id = new EntryId();
  #sink = new Sink(OUT_BYTES);
  #name = { channel: "", json: bytesOf('""') };

  /** Returns the body of an answer; it is the caller's. */
  render({ entries, dropped }: Polled): Uint8Array<ArrayBuffer> {
    const sink = this.#sink;
    sink.at = 0;
    sink.room(ENTRY_BYTES);
    sink.ascii(part.head);
    for (const [index, entry] of entries.entries()) {
      if (index > 0) sink.latin(",");
      this.#entry(sink, entry);
    }
    // Told only where there are any: most answers have none, and clients compare.
    const tail = dropped.length === 0 ? '],"next":null}' : `],"next":null,"dropped":${JSON.stringify(dropped)}}`;
    const text = bytesOf(tail);
    sink.copy(text, 0, text.length);
    const body = new Uint8Array(sink.bytes.subarray(0, sink.at));
    if (sink.bytes.length > OUT_BYTES_KEPT) this.#sink = new Sink(OUT_BYTES);
    return body;
  }

  /** Entries of one channel mostly follow one another. */
  #nameOf(channel: string): Uint8Array {
    if (this.#name.channel !== channel) this.#name = { channel, json: bytesOf(JSON.stringify(channel)) };
    return this.#name.json;
  }

  #entry(sink: Sink, entry: InboxEntry): void {
    const name = this.#nameOf(entry.channel);
    sink.room(ENTRY_BYTES + name.length);
    sink.ascii(part.number);
    sink.whole(entry.number);
    sink.ascii(part.channel);
    sink.ascii(name);
    // Who has several memberships of a channel is told which one an event is for; here there is one, but for a moment.
    if (entry.member === 0) sink.latin(",");
    else {
      sink.ascii(part.member);
      sink.whole(entry.member);
      sink.latin('",');
    }
    sink.ascii(part.sequence);
    sink.whole(entry.sequence);
    sink.ascii(part.epoch);
    sink.whole(entry.epoch);
    sink.ascii(part.attempt);
    sink.whole(entry.attempt);
    sink.ascii(part.event);
    this.#id.entry = entry;
    this.#events.render(sink, entry.event, 0, entry.event.length, this.#id);
    sink.latin("}");
  }
}

/** The id of an event that has none of its own. */
class EntryId implements DerivedId {
  entry: Pick<InboxEntry, "derivedId"> = { derivedId: "" };

  write(sink: Sink): void {
    // Letters, digits and dashes: nothing in it is to be escaped.
    sink.latin(`"${this.entry.derivedId}"`);
  }

  text(): string {
    return this.entry.derivedId;
  }
}
