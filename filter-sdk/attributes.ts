/**
 * What a filter looks at. It is said once, at the top of the file, and becomes the manifest: the host then gives each event and
 * each sink with just these, in the order in which they were said.
 */

/** An attribute of events, or one of their fields: `key`, `subject`, `priority`, `time`, `dataContentType` … */
export class Attribute {
  /** Its place in the record of an event. Of no use to filters. */
  slot: i32;
  constructor(slot: i32) {
    this.slot = slot;
  }
}

/** A live attribute of sinks. */
export class SinkAttribute {
  /** Its place in the row of a sink. Of no use to filters. */
  column: i32;
  constructor(column: i32) {
    this.column = column;
  }
}

const attributes: string[] = [];
const sinkAttributes: string[] = [];
let payloadBytes = 0;

/**
 * Has the host give an attribute of events. To be called at the top of a file, before any event.
 *
 * @param name At most 64 of them.
 * @returns What {@link Event} asks for; the same for the same name.
 */
export function attribute(name: string): Attribute {
  return new Attribute(place(attributes, name));
}

/** Has the host give a live attribute of sinks, at most 64. As {@link attribute}. */
export function sinkAttribute(name: string): SinkAttribute {
  return new SinkAttribute(place(sinkAttributes, name));
}

/**
 * Has the host give the payload of events: without it there is none to be seen.
 *
 * @param bytes How much of its beginning; negative: all of it. Copying it is what it costs.
 */
export function usePayload(bytes: i32): void {
  payloadBytes = bytes;
}

function place(names: string[], name: string): i32 {
  const known = names.indexOf(name);
  return known !== -1 ? known : names.push(name) - 1;
}

/** What was said, for the manifest: names are joined by line breaks, which no name has. */
export function asked(): string {
  return [attributes.join("\n"), sinkAttributes.join("\n"), payloadBytes.toString()].join("\0");
}
