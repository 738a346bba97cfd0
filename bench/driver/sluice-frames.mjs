// The frames of schemas/sluice/v1 that the driver sends and understands.
import {
  bytesField,
  doubleField,
  fixed64Field,
  integerField,
  readFields,
  readVarint,
  sizeDelimited,
} from "./protobuf.mjs";

/** Field numbers of ClientFrame, HostFrame and their messages that the driver meets. */
const CLIENT_REF = 1;
const CLIENT_PUBLISH = 2;
const CLIENT_CREDIT = 3;
const CLIENT_UPDATE = 5;
const CLIENT_JOIN = 8;
const CLIENT_INBOX = 10;
const HOST_DELIVER = 1;
const HOST_CREDIT = 2;
const HOST_RECEIPT = 3;
const HOST_DROPPED = 4;
const HOST_JOINED = 7;
const HOST_PROBLEM = 9;

/**
 * An event as the cells describe it.
 *
 * @typedef {object} BenchEvent
 * @property {string} channel
 * @property {Buffer} payload
 * @property {string} [type] "t" unless said; one letter, so that all events have one size.
 * @property {string} [key]
 * @property {number} [ttlMs]
 * @property {number} [priority] 0 to 9.
 * @property {Readonly<Record<string, string | number>>} [attributes] Numbers go as doubles, whole ones too.
 */

/**
 * Encodes an Event with what a real client tells: type, source, time and data.
 *
 * @param {BenchEvent} event
 * @param {string} source URI reference of the publisher.
 * @returns {Buffer}
 */
export function encodeEvent(event, source) {
  const parts = [bytesField(2, source), bytesField(3, event.type ?? "t"), fixed64Field(5, BigInt(Date.now()) * 1000n)];
  if (event.priority !== undefined) parts.push(integerField(6, event.priority));
  if (event.ttlMs !== undefined) parts.push(integerField(8, event.ttlMs));
  if (event.key !== undefined) parts.push(bytesField(9, event.key));
  parts.push(...attributeFields(10, event.attributes ?? {}), bytesField(12, event.payload));
  return Buffer.concat(parts);
}

/**
 * Encodes attributes as the map that events, joins and updates have.
 *
 * @param {number} field @param {Readonly<Record<string, string | number>>} attributes
 * @returns {Buffer<ArrayBuffer>[]} One entry each.
 */
export function attributeFields(field, attributes) {
  return Object.entries(attributes).map(([name, value]) => {
    const content = typeof value === "string" ? bytesField(3, value) : doubleField(2, value);
    return bytesField(field, Buffer.concat([bytesField(1, name), bytesField(2, content)]));
  });
}

/**
 * Encodes an update of a member's live attributes, with its size before it.
 *
 * @param {number} member As `joined` told. @param {Readonly<Record<string, string | number>>} attributes
 * @returns {Buffer}
 */
export function updateFrame(member, attributes) {
  const update = Buffer.concat([integerField(1, member), ...attributeFields(2, attributes)]);
  return sizeDelimited(bytesField(CLIENT_UPDATE, update));
}

/**
 * Encodes a publish of some events on one channel, with its size before it.
 *
 * @param {number} channelNumber As `joined` told.
 * @param {readonly Buffer[]} events From encodeEvent().
 * @param {number} [ref] Asks for a receipt.
 * @returns {Buffer}
 */
export function publishFrame(channelNumber, events, ref) {
  const publish = Buffer.concat([integerField(2, channelNumber), ...events.map((event) => bytesField(3, event))]);
  const head = ref === undefined ? [] : [integerField(CLIENT_REF, ref)];
  return sizeDelimited(Buffer.concat([...head, bytesField(CLIENT_PUBLISH, publish)]));
}

/**
 * What a member wants and tells.
 *
 * @typedef {object} Wants
 * @property {readonly string[]} [types] Event types; none: any.
 * @property {string} [where] An expression; none: every event.
 * @property {Readonly<Record<string, string | number>>} [attributes] Its live attributes.
 * @property {InboxWants} [inbox] Of its session.
 * @property {{ events?: number, bytes?: number }} [credit] What it takes at first; then it says how much more.
 */

/**
 * How what waits for a session is ordered and bounded.
 *
 * @typedef {object} InboxWants
 * @property {string} [ordering]
 * @property {number} [capacityEvents]
 * @property {number} [capacityBytes]
 */

/**
 * Encodes the settings of a session's inbox, with their size before them.
 *
 * @param {InboxWants} settings
 * @returns {Buffer}
 */
export function inboxFrame({ ordering, capacityEvents, capacityBytes }) {
  const fields = [
    ...(ordering === undefined ? [] : [bytesField(1, ordering)]),
    ...(capacityEvents === undefined ? [] : [integerField(2, capacityEvents)]),
    ...(capacityBytes === undefined ? [] : [integerField(3, capacityBytes)]),
  ];
  return sizeDelimited(bytesField(CLIENT_INBOX, Buffer.concat(fields)));
}

/**
 * Encodes a grant of credit, with its size before it.
 *
 * @param {{ events?: number, bytes?: number }} more
 * @returns {Buffer}
 */
export function creditFrame({ events, bytes }) {
  const fields = [
    ...(events === undefined ? [] : [integerField(3, events)]),
    ...(bytes === undefined ? [] : [integerField(4, bytes)]),
  ];
  return sizeDelimited(bytesField(CLIENT_CREDIT, Buffer.concat(fields)));
}

/**
 * Encodes a join, with its size before it.
 *
 * @param {string} channel
 * @param {'sink' | 'source'} role
 * @param {number} ref Echoed in the answer.
 * @param {Wants} [wants]
 * @returns {Buffer}
 */
export function joinFrame(channel, role, ref, { types = [], where = "", attributes = {} } = {}) {
  const join = Buffer.concat([
    bytesField(1, channel),
    bytesField(2, role),
    ...attributeFields(3, attributes),
    ...(where === "" ? [] : [bytesField(4, where)]),
    ...types.map((type) => bytesField(5, type)),
  ]);
  return sizeDelimited(Buffer.concat([integerField(CLIENT_REF, ref), bytesField(CLIENT_JOIN, join)]));
}

/** What a host said that is no delivery. @typedef {{ kind: 'joined', ref: number, channelNumber: number, member: number } | { kind: 'dropped', count: number } | { kind: 'receipt', ref: number } | { kind: 'credit' | 'other' }} HostSaid */

/**
 * Understands a HostFrame that is no delivery.
 *
 * @param {Buffer} frame Without its size.
 * @returns {HostSaid}
 * @throws {Error} Where it is a problem: nothing that the bench does may meet one.
 */
export function readHostFrame(frame) {
  const fields = readFields(frame);
  const message = (/** @type {number} */ field) => readFields(/** @type {Buffer} */ (fields.get(field)));
  if (fields.has(HOST_PROBLEM)) {
    const problem = message(HOST_PROBLEM);
    throw new Error(`Problem ${problem.get(2)}: ${problem.get(4) ?? problem.get(3) ?? ""}`);
  }
  if (fields.has(HOST_JOINED)) {
    const joined = message(HOST_JOINED);
    return {
      kind: "joined",
      ref: Number(joined.get(1) ?? 0),
      channelNumber: Number(joined.get(4)),
      member: Number(joined.get(2)),
    };
  }
  if (fields.has(HOST_DROPPED)) return { kind: "dropped", count: Number(message(HOST_DROPPED).get(3) ?? 0) };
  if (fields.has(HOST_RECEIPT)) return { kind: "receipt", ref: Number(message(HOST_RECEIPT).get(1) ?? 0) };
  return { kind: fields.has(HOST_CREDIT) ? "credit" : "other" };
}

/**
 * Reads channel number and sequence of a HostFrame with one delivery.
 *
 * @param {Buffer} frame Without its size.
 * @returns {{ channelNumber: number, sequence: number }}
 * @throws {Error} Where the frame holds anything beside one delivery, which would make the count wrong.
 */
export function readDelivery(frame) {
  const only = (/** @type {Buffer} */ message, /** @type {number} */ field) => {
    const inner = readFields(message).get(field);
    // One length-delimited field and nothing else: tag (1 byte), its size, and the rest.
    const size = readVarint(message, 1);
    if (!(inner instanceof Buffer) || size === null || size.next + inner.length !== message.length)
      throw new Error("A deliver frame holds more than one event");
    return inner;
  };
  const delivery = readFields(only(only(frame, HOST_DELIVER), 1));
  return { channelNumber: Number(delivery.get(1) ?? 0), sequence: Number(delivery.get(2) ?? 0) };
}
