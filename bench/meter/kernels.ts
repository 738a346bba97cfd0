/**
 * Programs of every kind that filters are made of, in AssemblyScript: run as they are and instrumented. Compiled by the bench itself
 * (kernels.mjs), never part of the service. Each is exported, so that the compiler does not make one function of all.
 */

/** Where each keeps its data; records of the filter are put there by the bench. */
const DATA: u32 = 65_536;
const SLOTS: u32 = 4_096;

export function sluice_abi_1(): void {}

export function sluice_arena(kind: i32, bytes: i32): i32 {
  return kind + bytes < 0 ? 0 : DATA;
}

/** The number of the kernel comes in place of the batch, its size in place of the number of events. */
export function sluice_in(kernel: i32, size: i32, out: i32, _cap: i32): i32 {
  switch (kernel) {
    case 0:
      return fibonacci(size);
    case 1:
      return sieve(size);
    case 2:
      return heapSort(size);
    case 3:
      return hash(size);
    case 4:
      return search(size);
    case 5:
      return interpret(size);
    case 6:
      return deduplicate(size);
    case 7:
      return filter(DATA, size, out);
    default:
      return -1;
  }
}

export function fibonacci(n: i32): i32 {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

export function sieve(n: i32): i32 {
  memory.fill(DATA, 0, n);
  let count = 0;
  for (let i = 2; i < n; i++) {
    if (load<u8>(DATA + i) !== 0) continue;
    count++;
    for (let j = i + i; j < n; j += i) store<u8>(DATA + j, 1);
  }
  return count;
}

function sink(from: i32, n: i32): void {
  let root = from;
  for (;;) {
    let child = 2 * root + 1;
    if (child >= n) return;
    if (child + 1 < n && load<i32>(DATA + ((child + 1) << 2)) > load<i32>(DATA + (child << 2))) child++;
    const above = load<i32>(DATA + (root << 2));
    const below = load<i32>(DATA + (child << 2));
    if (above >= below) return;
    store<i32>(DATA + (root << 2), below);
    store<i32>(DATA + (child << 2), above);
    root = child;
  }
}

export function heapSort(n: i32): i32 {
  let state: u32 = 1;
  for (let i = 0; i < n; i++) {
    state = state * 1664525 + 1013904223;
    store<i32>(DATA + (i << 2), state >>> 1);
  }
  for (let i = (n >> 1) - 1; i >= 0; i--) sink(i, n);
  for (let i = n - 1; i > 0; i--) {
    const largest = load<i32>(DATA);
    store<i32>(DATA, load<i32>(DATA + (i << 2)));
    store<i32>(DATA + (i << 2), largest);
    sink(0, i);
  }
  return load<i32>(DATA);
}

/** Rounds as of a cryptographic hash: arithmetic in straight lines. */
export function hash(blocks: i32): i32 {
  let a: u32 = 0x6a09e667;
  let b: u32 = 0xbb67ae85;
  let c: u32 = 0x3c6ef372;
  let d: u32 = 0xa54ff53a;
  for (let block = 0; block < blocks; block++) {
    for (let i: u32 = 0; i < 64; i++) {
      const word = load<u32>(DATA + ((((<u32>block) << 6) + i) & 0xfffc));
      const mixed = (rotr<u32>(a, 6) ^ rotr<u32>(a, 11) ^ rotr<u32>(a, 25)) + ((a & b) ^ (~a & c)) + d + word;
      d = c;
      c = b;
      b = a;
      a = mixed + (rotr<u32>(b, 2) ^ rotr<u32>(b, 13) ^ rotr<u32>(b, 22));
    }
  }
  return a;
}

export function search(n: i32): i32 {
  let found = 0;
  for (let i = 0; i < n; i++) {
    let j = 0;
    while (j < 8 && load<u8>(DATA + i + j) === load<u8>(DATA + 40 + j)) j++;
    if (j === 8) found++;
  }
  return found;
}

export function interpret(steps: i32): i32 {
  let at: u32 = 0;
  let value = 1;
  for (let i = 0; i < steps; i++) {
    switch ((at * 2654435761) >>> 29) {
      case 0:
        value += 3;
        break;
      case 1:
        value ^= at;
        break;
      case 2:
        value = rotl<i32>(value, 5);
        break;
      case 3:
        value *= 5;
        break;
      case 4:
        value -= i;
        break;
      case 5:
        if (value & 1) at += 2;
        break;
      default:
        value = ~value;
    }
    at++;
  }
  return value;
}

/** Keys met before, in a table with open addressing. */
export function deduplicate(keys: i32): i32 {
  memory.fill(DATA, 0, SLOTS << 3);
  let fresh = 0;
  let state: u32 = 1;
  for (let i = 0; i < keys; i++) {
    state = state * 1664525 + 1013904223;
    const key = (state >>> 20) + 1;
    let slot = (key * 2654435761) & (SLOTS - 1);
    while (load<u32>(DATA + (slot << 3)) !== 0 && load<u32>(DATA + (slot << 3)) !== key)
      slot = (slot + 1) & (SLOTS - 1);
    if (load<u32>(DATA + (slot << 3)) !== 0) continue;
    store<u32>(DATA + (slot << 3), key);
    fresh++;
  }
  return fresh;
}

/** What a filter does with a batch: looks at a number of each record, and says who gets it. */
export function filter(records: u32, events: i32, out: u32): i32 {
  let record = records;
  for (let i: u32 = 0; i < <u32>events; i++) {
    const isWanted = load<u8>(record, 88) === 3 && load<f64>(record, 96) < 0.8 && load<u8>(record, 6) >= 3;
    store<u32>(out + (i << 2), isWanted ? 1 : 0);
    record += load<u32>(record);
  }
  return events;
}
