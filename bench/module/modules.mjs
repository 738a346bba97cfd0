// Modules of the bench: the sample of the SDK, and modules of a size.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const BINARY = path.join(import.meta.dirname, "../../dist/sluice.js");

/** A sample of the SDK, built as its author builds it. @param {string} name @returns {Buffer} */
export function sample(name) {
  const place = mkdtempSync(path.join(tmpdir(), "bench-module-"));
  try {
    const folder = path.join(place, name);
    for (const args of [
      ["init", folder, "--template", name],
      ["build", folder],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [BINARY, "filter", ...args], { encoding: "utf8" });
      if (status !== 0) throw new Error(`sluice filter ${args.join(" ")} ends with ${status}: ${stderr}`);
    }
    return readFileSync(path.join(folder, "build", `${name}.wasm`));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

const I32 = 0x7f;
const BODY_BYTES_MAX = 100_000;
/** `i32.const 0` and `drop`. */
const STEP = [0x41, 0, 0x1a];

/**
 * A module that lets every event pass, and is as large as straight code that nobody calls makes it.
 *
 * @param {number} bytes About that many.
 * @param {number} salt From 0 to 63; makes another digest.
 * @param {readonly number[]} [pass] Body of its hook.
 */
export function moduleOf(bytes, salt, pass = PASS) {
  const fillers = [];
  for (let left = bytes; left > 0; left -= BODY_BYTES_MAX) fillers.push(straight(Math.min(left, BODY_BYTES_MAX), salt));
  const types = [
    [0x60, 4, I32, I32, I32, I32, 1, I32],
    [0x60, 2, I32, I32, 1, I32],
    [0x60, 0, 0],
  ];
  const bodies = [pass, ARENA, [0, 0x0b], ...fillers];
  const exports = [
    named("memory", 2, 0),
    named("sluice_out", 0, 0),
    named("sluice_arena", 0, 1),
    named("sluice_abi_1", 0, 2),
  ];
  return Buffer.concat([
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(1, vector(types)),
    section(3, vector(bodies.map((_, index) => [Math.min(index, 2)]))),
    section(5, vector([[1, 16, 16]])),
    section(7, vector(exports)),
    section(10, vector(bodies.map((body) => [...leb(body.length), ...body]))),
    section(0, [...text("sluice.manifest"), ...Buffer.from('{"hooks":["out"]}')]),
  ]);
}

/** Words that say "all": the memory is filled with bytes 1, of which the host takes the lower two bits of each word. Returns n. */
const PASS = [
  0,
  ...[0x20, 2], // local.get out
  ...[0x41, 1], // i32.const 1
  ...[0x20, 1, 0x41, 4, 0x6c], // n × 4
  ...[0xfc, 11, 0], // memory.fill
  ...[0x20, 1, 0x0b],
];
/** What follows is for batches of more than two events: a dry run has those. */
const AWAKE = [0x20, 1, 0x41, 2, 0x4b, 0x04, 0x40];
/** Never ends; for {@link moduleOf}. */
export const LOOPS = [0, ...AWAKE, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, ...PASS.slice(1)];
/** Turns of a loop of six units of fuel each: nearly the most that any call may take. */
const TURNS = 310_000;
/** Takes nearly all of its fuel; for {@link moduleOf}. */
export const BURNS = [
  ...[1, 1, I32],
  ...AWAKE,
  ...[0x41, ...leb(TURNS), 0x21, 4], // local 4 = TURNS
  ...[0x03, 0x40, 0x20, 4, 0x41, 1, 0x6b, 0x22, 4, 0x0d, 0, 0x0b], // counted down to 0
  0x0b,
  ...PASS.slice(1),
];

/** Place `kind` × 256 KiB. */
const ARENA = [0, ...[0x20, 0, 0x41, 18, 0x74], 0x0b];

/** @param {number} bytes @param {number} salt */
function straight(bytes, salt) {
  const steps = Math.max(1, Math.floor((bytes - 4) / STEP.length));
  return [0, ...Array.from({ length: steps }, (_, index) => (index === 0 ? [0x41, salt, 0x1a] : STEP)).flat(), 0x0b];
}

/** @param {string} name @param {number} kind @param {number} index */
const named = (name, kind, index) => [...text(name), kind, index];

/** @param {string} value */
const text = (value) => [...leb(value.length), ...Buffer.from(value)];

/** @param {readonly (readonly number[])[]} items @returns {number[]} */
const vector = (items) => leb(items.length).concat(items.flat());

/** @param {number} id @param {readonly number[]} content */
const section = (id, content) => Buffer.concat([Buffer.from([id, ...leb(content.length)]), Buffer.from(content)]);

/** @param {number} value @returns {number[]} */
function leb(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
