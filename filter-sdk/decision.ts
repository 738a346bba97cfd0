/** What becomes of one event. Where a filter says nothing, it goes to all candidates: forgetting to decide loses nothing. */

const KIND_DROP: u32 = 0;
const KIND_ALL: u32 = 1;
const KIND_BITMAP: u32 = 2;

/** See the head of this file. */
export class Decision {
  /** The words that the host reads, how many events there are, and what is used of them. Of no use to filters. */
  out: usize = 0;
  events: i32 = 0;
  room: i32 = 0;
  used: i32 = 0;
  index: i32 = 0;
  sinks: i32 = 0;
  private bitmap: i32 = 0;
  private word: u32 = KIND_ALL;

  /** Begins with an event. Of no use to filters. */
  begin(index: i32): void {
    this.index = index;
    this.bitmap = 0;
    this.word = KIND_ALL;
  }

  /** Tells the host, once the filter has returned: an event on which it fails has no decision, and `onError` decides. Of no use to filters. */
  settle(): void {
    store<u32>(this.out + <usize>this.index * 4, this.word);
  }

  /** To everyone that it may go to. */
  all(): void {
    this.release();
    this.word = KIND_ALL;
  }

  /** To nobody at all, and nobody is told. The channel's `empty` policy is not asked. */
  drop(): void {
    this.release();
    this.word = KIND_DROP;
  }

  /** To none of the candidates: what becomes of it is up to the channel's `empty` policy. */
  none(): void {
    this.release();
    this.begun();
  }

  /** To the sink in a slot, beside others selected for this event. It must be a candidate. */
  select(slot: i32): void {
    assert(<u32>slot < <u32>this.sinks, "no such slot");
    this.begun();
    const word = this.out + <usize>(this.bitmap + (slot >> 5)) * 4;
    store<u32>(word, load<u32>(word) | ((<u32>1) << (slot & 31)));
  }

  /** Room for a bitmap. */
  private begun(): void {
    if (this.bitmap !== 0) return;
    const words = (this.sinks + 31) >> 5;
    this.bitmap = this.used;
    this.used += words;
    assert(this.used <= this.room, "no room for the decision");
    memory.fill(this.out + <usize>this.bitmap * 4, 0, <usize>words * 4);
    this.word = KIND_BITMAP | ((<u32>(this.bitmap - this.events)) << 2);
  }

  /** Gives the room back. */
  private release(): void {
    if (this.bitmap === 0) return;
    this.used = this.bitmap;
    this.bitmap = 0;
  }
}
