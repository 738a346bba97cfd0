/**
 * `sluice/filter`: what the source of a filter module imports. Nothing of it needs to know where anything lies in memory.
 *
 * A filter is a file that exports `filterOut`, `filterIn` or both; beside them, where it likes, `init`, `save` and `restore`.
 * `sluice filter build` adds what the host calls and makes the module. See docs/filters/writing.md.
 */
export { Attribute, attribute, SinkAttribute, sinkAttribute, usePayload } from "./attributes";
export { Config } from "./config";
export { Constant, constant } from "./constants";
export { Decision } from "./decision";
export { Event } from "./event";
export { log, now, random, warn } from "./host";
export { Sinks } from "./sinks";
export { StateReader, StateWriter } from "./state";
