/**
 * Delivery windows of channels: of `size` consecutive deadlines, `periodMs` apart, a stream may miss `lose`. A channel's window
 * lies here and not in its record: few have one, and publishing asks nothing of it.
 */
import { heapGive, heapTake } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";

/** A channel's window. */
@unmanaged
export class Window {
  periodMs: f64;
  lose: u32;
  size: u32;
}

let windows: u32 = 0;

/** Forgets all windows. Returns false where memory is too small. */
export function windowsInit(): bool {
  windows = mapNew();
  return windows !== 0;
}

/** Address of the window of a channel, 0: it has none. */
export function windowFind(channel: u32): u32 {
  const map = changetype<Map64>(windows);
  return map.count === 0 ? 0 : mapFind(map, channel);
}

/** Sets the window of a channel; `size` 0 takes it away. Returns false where memory is used up. */
export function windowSet(channel: u32, lose: u32, size: u32, periodMs: f64): bool {
  const map = changetype<Map64>(windows);
  let at = windowFind(channel);
  if (size === 0) {
    if (at === 0) return true;
    mapDelete(map, channel);
    heapGive(at, offsetof<Window>());
    return true;
  }
  if (at === 0) {
    at = heapTake(offsetof<Window>());
    if (at === 0) return false;
    if (!mapSet(map, channel, at)) {
      heapGive(at, offsetof<Window>());
      return false;
    }
  }
  const window = changetype<Window>(at);
  window.periodMs = periodMs;
  window.lose = lose;
  window.size = size;
  return true;
}
