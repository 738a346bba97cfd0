/** Valid requests to every route: what the tests of this folder change. */

/** One request. */
export interface ValidRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = { "content-type": "application/json" };
const event = {
  id: "e-1",
  source: "/hostile/1",
  type: "t",
  subject: "s",
  time: "2026-01-01T00:00:00.000Z",
  priority: 4,
  ttlMs: 250,
  key: "k",
  attributes: { load: 0.42, zone: "eu", urgent: true },
  dataContentType: "application/json",
  data: { any: ["json", 1, null] },
};

function request(method: string, target: string, body?: unknown, headers: Record<string, string> = {}): ValidRequest {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return { method, target, body: text, headers: body === undefined ? headers : { ...JSON_TYPE, ...headers } };
}

const ceHeaders = {
  "ce-specversion": "1.0",
  "ce-id": "1",
  "ce-type": "t",
  "ce-source": "/x",
  "ce-zone": "eu",
  "ce-time": "2026-01-01T00:00:00Z",
};
const structured = { specversion: "1.0", id: "1", type: "t", source: "/x", zone: "eu", data: { n: 1 } };

/** Those whose answers end. */
export const requests: readonly ValidRequest[] = [
  request("GET", "/v1/info"),
  request("GET", "/health/live"),
  request("GET", "/metrics"),
  request("GET", "/openapi.json"),
  request("GET", "/v1/hosts"),
  request("GET", "/v1/stats"),
  request("GET", "/v1/channels?limit=2"),
  request("PUT", "/v1/channels/a%2Fb", {
    types: ["a"],
    source: "many",
    delivery: { priority: 4, ttlMs: 5_000, late: "drop" },
  }),
  request("PUT", "/v1/channels/c", { store: { events: 8 }, echo: false }, { "if-none-match": "*" }),
  request("GET", "/v1/channels/c", undefined, { "if-none-match": '"x"' }),
  request("HEAD", "/v1/channels/c"),
  request("OPTIONS", "/v1/channels/c"),
  request("PATCH", "/v1/channels/c", { delivery: { ttlMs: null } }, { "if-match": "*" }),
  request("DELETE", "/v1/channels/d"),
  request("GET", "/v1/channels/c/members"),
  request("PATCH", "/v1/channels/c/members/m1", { attributes: { load: 0.5 } }),
  request("POST", "/v1/channels/c/events?receipt=accepted", event),
  request("POST", "/v1/channels/c/events", [event, { type: "u", dataBase64: "AAEC" }], { "idempotency-key": "k-1" }),
  request("POST", "/v1/channels/c/events", "{}", { ...ceHeaders, "content-type": "application/json" }),
  request("POST", "/v1/channels/c/events", structured, { "content-type": "application/cloudevents+json" }),
  request("POST", "/v1/channels/c/events", [structured], { "content-type": "application/cloudevents-batch+json" }),
  request("POST", "/v1/channels/c/explain", event),
  request("PUT", "/v1/templates/t1", { pattern: "sensors.*", channel: { delivery: { ttlMs: 100 } } }),
  request("GET", "/v1/templates"),
  request("GET", "/v1/templates/t1"),
  request("DELETE", "/v1/templates/t1"),
  request("POST", "/v1/inboxes", { capacityEvents: 10, overflow: "drop-oldest", idleMs: 1_000 }),
  request("GET", "/v1/inboxes?limit=1"),
  request("GET", "/v1/inboxes/s1"),
  request("PATCH", "/v1/inboxes/s1", { held: true }),
  request("PUT", "/v1/inboxes/s1/joins/c", {
    types: ["t"],
    attributes: { zone: "eu" },
    where: "load < 0.8 AND zone IN ('eu', 'us') OR NOT (EXISTS key)",
  }),
  request("DELETE", "/v1/inboxes/s1/joins/c"),
  request("GET", "/v1/inboxes/s1/events?max=10&waitMs=0"),
  request("POST", "/v1/inboxes/s1/acks", { numbers: [1, 2] }),
  request("DELETE", "/v1/inboxes/s1"),
  request("POST", "/v1/test/clock", { advanceMs: 1 }),
];

const stream = { accept: "text/event-stream" };

/** Those whose answers do not end, for tests that hang up themselves. */
export const streams: readonly ValidRequest[] = [
  request("GET", "/v1/channels/c/events?type=a&type=b&attr.zone=eu&attr.load=0.5", undefined, stream),
  request("GET", "/v1/channels/c/events?where=load%20%3C%200.8%20AND%20EXISTS%20zone", undefined, stream),
  request("GET", "/v1/channels/c/events?format=cloudevents&replay=false", undefined, {
    ...stream,
    "last-event-id": "AQEBNmtxMnYxeHd6OWFiAAAAAAAB",
  }),
  request("GET", "/v1/inboxes/s1/events?waitMs=50&max=3", undefined, { accept: "application/cloudevents-batch+json" }),
];

/** A request as bytes on the wire. */
export function textOf({ method, target, headers, body }: ValidRequest): string {
  const fields = {
    host: "127.0.0.1",
    ...headers,
    ...(body === "" ? {} : { "content-length": `${Buffer.byteLength(body)}` }),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}
