/**
 * What sinks of one channel ask events for: a name and the type to which its value is cast. A place has a slot in the table of
 * values, which is filled once per event; predicates then are comparisons of doubles, whatever they were written as.
 *
 *   kind       value in the slot
 *   text       address of the Key whose text it is, NaN where no sink asks for that text
 *   number     the number
 *   boolean    0 or 1
 *
 * A NaN stands for what is missing or cannot be cast: every comparison with it is false.
 */
import { depthsAt } from "../../expression/verify";
import { roomGive, roomTake, roomTakeZero } from "./room";

/** The places of one channel, and its keys that are no value of a name. */
@unmanaged
export class Index {
  /** Array of Place records. */
  placesAt: u32;
  places: u32;
  capacity: u32;
  /** The Key of sinks that every event must ask, 0: there are none. */
  always: u32;
  /** How many keys are types of `types` lists. */
  typeKeys: u32;
}

/** One name and type. */
@unmanaged
export class Place {
  /** Number of the name in the view, and FIELD_…. */
  number: u32;
  field: u32;
  /** KIND_…. */
  kind: u32;
  /** Predicates and keys that need the value; 0: the place is free. */
  references: u32;
  /** Keys that are a value of it. */
  keys: u32;
  /** The Key of sinks that ask whether it is there at all, 0: none. */
  presence: u32;
}
const PLACE_BYTES: u32 = offsetof<Place>();

/** Places per channel: so many find room in a key of columns. Predicates beyond are left to the machine. */
export const PLACES_MAX: u32 = 1023;
/** No room for another place. */
export const NO_PLACE: u32 = 0xffffffff;

/** The value of each place for the event of the view; the last one belongs to nobody. In the verifier's room: no program is
 *  verified while an event is looked up. */
export const valuesAt: u32 = depthsAt;
export const VALUES_BYTES: u32 = (PLACES_MAX + 1) * 8;

/** Makes an index; 0 where memory is used up. */
export function indexNew(): u32 {
  return roomTakeZero(offsetof<Index>());
}

/** Frees an index that has no keys any more. */
export function indexFree(at: u32): void {
  const index = changetype<Index>(at);
  if (index.placesAt !== 0) roomGive(index.placesAt, index.capacity * PLACE_BYTES);
  roomGive(at, offsetof<Index>());
}

/** The place of that number. */
export function placeAt(index: Index, place: u32): Place {
  return changetype<Place>(index.placesAt + place * PLACE_BYTES);
}

/** The place of a name and type, made where there is none; NO_PLACE where there are too many or memory is used up. */
export function placeTake(index: Index, number: u32, field: u32, kind: u32): u32 {
  let free = index.places;
  for (let i: u32 = 0; i < index.places; i++) {
    const one = placeAt(index, i);
    if (one.number === number && one.field === field && one.kind === kind) return i;
    if (one.references === 0) free = i;
  }
  if (free === index.places) {
    if (free === PLACES_MAX || (free === index.capacity && !grow(index))) return NO_PLACE;
    index.places++;
  }
  const place = placeAt(index, free);
  place.number = number;
  place.field = field;
  place.kind = kind;
  place.references = place.keys = place.presence = 0;
  return free;
}

function grow(index: Index): bool {
  const capacity: u32 = index.capacity === 0 ? 5 : index.capacity * 2;
  const at = roomTake(capacity * PLACE_BYTES);
  if (at === 0) return false;
  if (index.placesAt !== 0) {
    memory.copy(at, index.placesAt, index.places * PLACE_BYTES);
    roomGive(index.placesAt, index.capacity * PLACE_BYTES);
  }
  index.placesAt = at;
  index.capacity = capacity;
  return true;
}
