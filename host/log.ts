/**
 * Logs as JSON lines: one object per line, `time`, `level`, `message`, then the fields of the line.
 *
 * Small on purpose: it must run unchanged on every runtime, and a log line is never on the path of an event.
 */

/** Levels by urgency; a log writes its own level and those above. */
export const logLevels = ["debug", "info", "warn", "error"] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** What a line says besides its message. Values that JSON cannot hold are written as text. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes lines. Never throws: a log that fails must not fail what it tells about. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log, with `fields` on every line. */
  with(fields: LogFields): Log;
}

/** What {@link createLog} takes. */
export interface LogOptions {
  /** Least urgent level that is written; `info` where absent. */
  readonly level?: LogLevel;
  /** Gets each line, without its line break. */
  readonly sink: (line: string) => void;
  /** The clock to stamp lines with, milliseconds since 1970. */
  readonly now: () => number;
}

/** Makes a log. */
export function createLog(options: LogOptions): Log {
  return logWith(options, logLevels.indexOf(options.level ?? "info"), {});
}

/** A log that writes nothing, for embedded hosts and tests. */
export const silentLog: Log = createLog({ level: "error", sink: () => {}, now: () => 0 });

function logWith(options: LogOptions, least: number, bound: LogFields): Log {
  const write = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (logLevels.indexOf(level) < least) return;
    const time = new Date(options.now()).toISOString();
    try {
      // `time`, `level` and `message` come last in the spread, so no field can pretend to be one of them.
      const line = { time, level, message, ...bound, ...fields };
      options.sink(JSON.stringify(Object.assign(line, { time, level, message }), jsonSafe));
    } catch {
      // A cyclic field or a closed sink: say less rather than fail the caller.
      writeBare(options, { time, level, message });
    }
  };
  return Object.freeze({
    debug: (message: string, fields?: LogFields) => write("debug", message, fields),
    info: (message: string, fields?: LogFields) => write("info", message, fields),
    warn: (message: string, fields?: LogFields) => write("warn", message, fields),
    error: (message: string, fields?: LogFields) => write("error", message, fields),
    with: (fields: LogFields) => logWith(options, least, { ...bound, ...fields }),
  });
}

function writeBare(options: LogOptions, line: { time: string; level: LogLevel; message: string }): void {
  try {
    options.sink(JSON.stringify(line));
  } catch {
    // The sink itself is gone; there is nobody left to tell.
  }
}

/** Errors as objects with their stack, so that a fault can be found; big integers and numbers beyond JSON as text. */
function jsonSafe(_name: string, value: unknown): unknown {
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    const code = "code" in value ? value.code : undefined;
    return { name, code, message, stack, cause };
  }
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
