/**
 * What is the same for all events of a channel, as JSON bytes: its name, and the beginning of derived ids.
 */
import type { DerivedId } from "./event-renderer.ts";
import type { HostNames } from "./host.ts";
import { bytesOf } from "./scan.ts";
import type { Sink } from "./sink.ts";

/** Channels that are remembered; beyond them all are forgotten and told anew. */
const CHANNELS_MAX = 4_096;

interface ChannelTexts {
  readonly name: string | undefined;
  /** The name with its quotes. */
  readonly nameJson: Uint8Array;
  /** A quote, and the derived id but for the sequence; undefined where ids do not end with the sequence in base 36. */
  readonly idHead: Uint8Array | undefined;
}

/** Texts of the channel of one event at a time. */
export class ChannelNames implements DerivedId {
  readonly #names: HostNames;
  readonly #texts = new Map<number, ChannelTexts>();
  #current: ChannelTexts | undefined;
  #number = 0;
  #sequence = 0;
  #epoch = 0;

  constructor(names: HostNames) {
    this.#names = names;
  }

  /** Turns to an event. Cheap where the channel is that of the event before. */
  select(channelNumber: number, sequence: number, epoch: number): void {
    this.#sequence = sequence;
    // The number may have been given to another channel meanwhile, so the name is asked for each time.
    const name = this.#names.channelName(channelNumber);
    const same =
      this.#current !== undefined &&
      this.#number === channelNumber &&
      this.#epoch === epoch &&
      this.#current.name === name;
    if (same) return;
    if (this.#epoch !== epoch || this.#texts.size >= CHANNELS_MAX) this.#texts.clear();
    this.#number = channelNumber;
    this.#epoch = epoch;
    let texts = this.#texts.get(channelNumber);
    if (texts === undefined || texts.name !== name) {
      texts = this.#told(channelNumber, name, epoch);
      this.#texts.set(channelNumber, texts);
    }
    this.#current = texts;
  }

  /** Sequence of the event. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The name of the channel with its quotes; "" where it was removed. */
  get nameJson(): Uint8Array {
    return (this.#current as ChannelTexts).nameJson;
  }

  write(sink: Sink): void {
    const head = this.#current?.idHead;
    if (head === undefined) {
      const text = bytesOf(JSON.stringify(this.text()));
      sink.copy(text, 0, text.length);
      return;
    }
    sink.copy(head, 0, head.length);
    sink.latin(this.#sequence.toString(36));
    sink.latin('"');
  }

  text(): string {
    return this.#names.derivedId(this.#number, this.#sequence, this.#epoch);
  }

  /** Asks the host, once per channel and epoch. */
  #told(channelNumber: number, name: string | undefined, epoch: number): ChannelTexts {
    const zeroth = JSON.stringify(this.#names.derivedId(channelNumber, 0, epoch));
    const plain = zeroth.endsWith('-0"');
    return {
      name,
      nameJson: bytesOf(JSON.stringify(name ?? "")),
      idHead: plain ? bytesOf(zeroth.slice(0, -2)) : undefined,
    };
  }
}
