/** The part of a filter module that its author does not write: what the host calls, around what the source exports. */
import { SluiceError } from "../../errors.ts";

/** What a filter may export. */
const EXPORTS = ["filterIn", "filterOut", "init", "save", "restore"] as const;
type Export = (typeof EXPORTS)[number];

const HOOKS: Readonly<Record<Export, string>> = {
  filterOut: `export function sluice_out(batch: usize, events: i32, out: usize, room: i32): i32 {
  host.begin(batch, events, out, room);
  while (host.next()) filter.filterOut(host.event, host.sinks, host.decision);
  return host.finish();
}
`,
  filterIn: `export function sluice_in(batch: usize, events: i32, out: usize, room: i32): i32 {
  host.begin(batch, events, out, room);
  while (host.next()) filter.filterIn(host.event, host.sinks, host.decision);
  return host.finish();
}
`,
  init: "",
  save: `export function sluice_save(at: usize, room: i32): i32 {
  const writer = host.writer(at, room);
  filter.save(writer);
  return host.saved(writer);
}
`,
  restore: `export function sluice_restore(at: usize, bytes: i32): i32 {
  filter.restore(host.reader(at, bytes));
  return 0;
}
`,
};

/**
 * Writes the entry of a filter.
 *
 * @param source Its text.
 * @param module How the entry imports it, such as `./filter`.
 * @throws {SluiceError} `invalid_value` where it exports no hook.
 */
export function entryOf(source: string, module: string): string {
  const found = EXPORTS.filter((name) => new RegExp(`^[ \\t]*export function ${name}\\b`, "m").test(source));
  if (!found.includes("filterIn") && !found.includes("filterOut"))
    throw new SluiceError("invalid_value", `${module}.ts exports neither function filterOut nor function filterIn`);
  const init = found.includes("init") ? "filter.init(config);" : "";
  return `import * as filter from "${module}";
import * as host from "sluice/filter/runtime";
export { sluice_abi_1, sluice_arena, sluice_sdk_manifest } from "sluice/filter/runtime";
export function sluice_init(at: usize, bytes: i32): i32 {
  const config = host.configured(at, bytes);
  ${init}
  return 0;
}
${found.map((name) => HOOKS[name]).join("")}`;
}
