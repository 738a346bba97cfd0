/**
 * Events as a person reads them: one line each: time, type, source, data, attributes.
 */
import { RawJson } from "../socket/json/reader.ts";
import { columnsOf, cut, pad, printable, type Style } from "./style.ts";
import type { AttributeValue } from "./values.ts";

/** The native JSON event, as far as printing needs it. */
export interface EventLike {
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly priority?: number;
  readonly key?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly dataContentType?: string;
  /** A value, or its JSON text as the host sent it. */
  readonly data?: unknown;
  readonly dataBase64?: string;
}

/** Columns that keep neighbouring lines aligned without wasting room on short names. */
const TYPE_COLUMNS = 10;
const SOURCE_COLUMNS = 14;
const GAP = "  ";
/** Below it sources are cut. */
const NARROW = 120;
/** What data and attributes have at least together, and how much of it attributes get where both are too long. */
const ROOM_MIN = 24;
const ATTRIBUTES_SHARE = 0.75;
/** Less data than this is shown as "…". */
const DATA_MIN = 12;

/**
 * One event as one line.
 *
 * @param width Columns to fit into; absent never cuts. What is cut is the source first, then data, then attributes: these
 *   are what their publisher meant to be looked at.
 */
export function lineFromEvent(event: EventLike, style: Style, width: number = Number.POSITIVE_INFINITY): string {
  const time = timeOf(event.time);
  const type = pad(printable(event.type ?? "?"), TYPE_COLUMNS);
  const whole = pad(printable(event.source ?? "-"), SOURCE_COLUMNS);
  const source = width < NARROW ? cut(whole, SOURCE_COLUMNS) : whole;
  const data = printable(dataOf(event));
  const attributes = printable(attributesOf(event));

  // Where type and source leave nothing, the line wraps instead: cut to nothing, it would say nothing.
  const head = columnsOf(time) + columnsOf(type) + columnsOf(source) + 3 * GAP.length;
  const [forData, forAttributes] = shared(columnsOf(data), columnsOf(attributes), Math.max(width - head, ROOM_MIN));
  return [
    style.dim(time),
    style.cyan(type),
    style.dim(source),
    cut(data, forData),
    style.green(cut(attributes, forAttributes)),
  ]
    .filter((part) => part !== "")
    .join(GAP)
    .trimEnd();
}

/** Shares `room` columns between data and attributes: a stub of data says less than the rest of the attributes. */
function shared(data: number, attributes: number, room: number): [forData: number, forAttributes: number] {
  if (attributes === 0) return [room, 0];
  if (data === 0) return [0, room];
  const rest = room - GAP.length;
  if (data + attributes <= rest) return [data, attributes];
  const forAttributes = Math.floor(Math.min(attributes, Math.max(rest * ATTRIBUTES_SHARE, rest - data)));
  const forData = rest - forAttributes;
  return forData < DATA_MIN ? [1, rest - 1] : [forData, forAttributes];
}

/** Local wall-clock time with milliseconds: what one compares with the watch. `--json` has the full RFC 3339 form. */
function timeOf(time: string | undefined): string {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(at)) return "--:--:--.---";
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function dataOf(event: EventLike): string {
  if (event.dataBase64 !== undefined) {
    const bytes = Math.floor((event.dataBase64.replace(/=+$/, "").length * 3) / 4);
    return `<${bytes} bytes${event.dataContentType === undefined ? "" : ` ${event.dataContentType}`}>`;
  }
  if (event.data === undefined) return "";
  if (event.data instanceof RawJson) {
    const text = new TextDecoder().decode(event.data.bytes);
    return text.startsWith('"') ? (JSON.parse(text) as string) : text;
  }
  return typeof event.data === "string" ? event.data : JSON.stringify(event.data);
}

function attributesOf(event: EventLike): string {
  const attributes = Object.entries(event.attributes ?? {}).map(([name, value]) => `${name}=${textOf(value)}`);
  if (event.key !== undefined && event.key !== "") attributes.push(`key=${event.key}`);
  if (event.priority !== undefined) attributes.push(`priority=${event.priority}`);
  return attributes.join(" ");
}

function textOf(value: AttributeValue): string {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  if (typeof value === "string" && /[\s=]/.test(value)) return JSON.stringify(value);
  return String(value);
}
