/**
 * The sinks of the channel, each in a slot that is its own while it is there, with their live attributes as they were before the
 * batch. A slot whose sink has left may be taken by a later one.
 */
import { SinkAttribute } from "./attributes";
import { Constant } from "./constants";

const HEAD_BYTES: usize = 16;
const ROW_HEAD_BYTES: usize = 16;
const FLAG_UP: u32 = 1;
const FLAG_LOCAL: u32 = 2;
const FLAG_SUSPECT: u32 = 4;

/** See the head of this file. */
export class Sinks {
  /** Address of the table. Of no use to filters. */
  at: usize = 0;

  /** How many slots there are; some may be empty. */
  get count(): i32 {
    return this.at === 0 ? 0 : load<i32>(this.at);
  }

  /** Whether a sink is in that slot. */
  isUp(slot: i32): bool {
    return (load<u32>(this.row(slot), 4) & FLAG_UP) !== 0;
  }

  /** Whether it is on this host. */
  isLocal(slot: i32): bool {
    return (load<u32>(this.row(slot), 4) & FLAG_LOCAL) !== 0;
  }

  /** Whether it has not been heard of for longer than it should. */
  isSuspect(slot: i32): bool {
    return (load<u32>(this.row(slot), 4) & FLAG_SUSPECT) !== 0;
  }

  /** A number of the sink that no other one gets, in whatever slot. */
  id(slot: i32): u32 {
    return load<u32>(this.row(slot));
  }

  /** When its attributes were set last, ms since 1970; 0: never. */
  updatedAtMs(slot: i32): f64 {
    return load<f64>(this.row(slot), 8);
  }

  /** One of its attributes: 0 or 1 of a boolean; NaN where it is missing. Of texts see {@link is}. */
  number(slot: i32, attribute: SinkAttribute): f64 {
    return load<f64>(this.columnAt(slot, attribute));
  }

  /** Whether one of its attributes is that text. */
  is(slot: i32, attribute: SinkAttribute, text: Constant): bool {
    return text.number !== 0 && load<f64>(this.columnAt(slot, attribute)) === <f64>text.number;
  }

  /**
   * Adds to a number of a sink in this filter's own table, until the sink's next update overwrites it: what was just given to a sink
   * counts at once, and not every event of a batch goes to the one that was least loaded before it.
   */
  add(slot: i32, attribute: SinkAttribute, value: f64): void {
    const at = this.columnAt(slot, attribute);
    store<f64>(at, load<f64>(at) + value);
  }

  @inline
  private row(slot: i32): usize {
    assert(<u32>slot < <u32>this.count, "no such slot");
    return this.at + HEAD_BYTES + <usize>slot * <usize>load<u32>(this.at, 4);
  }

  @inline
  private columnAt(slot: i32, attribute: SinkAttribute): usize {
    return this.row(slot) + ROW_HEAD_BYTES + ((<usize>attribute.column) << 3);
  }
}
