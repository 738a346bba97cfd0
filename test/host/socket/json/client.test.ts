/**
 * Goal: what stands in the documentation is taken as it stands, and everything else is refused by name, with its limit.
 * Method: a table of the frames of the surface with the protobuf that they mean, and a table of refusals.
 */
import { toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ClientFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import { limits } from "../../../../host/limits.ts";
import { clientFrameFromJson, createSocketCodec } from "../../../../host/socket/json/codec.ts";
import { bytesOf } from "../../../../host/socket/json/scan.ts";
import { testNames } from "./names.ts";

const event = (members: string) => `{"publish":{"channel":"c","events":[{${members}}]}}`;
const typed = (members: string) => event(`"type":"t",${members}`);
const at = (field: string) => `publish.events[0]${field}`;
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("clientFrameFromJson() takes", () => {
  test.each([
    [
      '{"hello":{"client":"app","token":"x","inbox":{"ordering":"fifo","select":{"mode":"batch","events":64,"bytes":65536,"delayMs":0}},"session":"s","received":5,"lingerMs":30000}}',
      {
        hello: {
          client: "app",
          token: "x",
          inbox: { ordering: "fifo", select: { mode: "batch", events: 64, bytes: 65_536, delayMs: 0 } },
          session: "s",
          received: "5",
          lingerMs: "30000",
        },
      },
    ],
    [
      '{"ref":1,"join":{"channel":"c","role":"both","attributes":{"load":0.5,"n":1,"up":true,"zone":"eu"},"where":"a = 1","types":["t"],"filters":{"out":{"module":"m","config":{"a":[1]}}},"dialect":"cesql","misses":true,"rate":10.5,"after":{"epoch":5,"sequence":17},"replay":false}}',
      {
        ref: 1,
        join: {
          channel: "c",
          role: "both",
          attributes: { load: { number: 0.5 }, n: { integer: "1" }, up: { boolean: true }, zone: { text: "eu" } },
          where: "a = 1",
          types: ["t"],
          filters: { out: { module: "m", config: { a: [1] } } },
          dialect: "cesql",
          misses: true,
          rate: 10.5,
          after: { epoch: "5", sequence: "17" },
          replay: false,
        },
      },
    ],
    [
      '{"ref":2,"publish":{"channel":"a/b","events":[{"id":"1","source":"/web/1","type":"request","subject":"","time":"2026-01-01T00:00:00.000Z","priority":4,"deliverBy":"2026-01-01T00:00:00.250Z","key":"r-17","attributes":{"load":0.42,"zone":"eu","urgent":true},"dataContentType":"application/json","data":{"any":"json"}}]}}',
      {
        ref: 2,
        publish: {
          channel: "a/b",
          events: [
            {
              id: "1",
              source: "/web/1",
              type: "request",
              timeUs: "1767225600000000",
              priority: 4,
              deliverByUs: "1767225600250000",
              key: "r-17",
              attributes: { load: { number: 0.42 }, zone: { text: "eu" }, urgent: { boolean: true } },
              dataContentType: "application/json",
              data: Buffer.from('{"any":"json"}').toString("base64"),
            },
          ],
        },
      },
    ],
    [
      '{"update":{"member":"m7","attributes":{"load":0.25,"old":null},"remove":["older"]}}',
      { update: { member: 7, attributes: { load: { number: 0.25 } }, remove: ["older", "old"] } },
    ],
    ['{"leave":{"member":"m4294967295"}}', { leave: { member: 4_294_967_295 } }],
    [
      '{"inbox":{"held":true,"overflow":"reject","capacityEvents":1}}',
      { inbox: { held: true, overflow: "reject", capacityEvents: "1" } },
    ],
    ['{"credit":{"events":5,"bytes":9007199254740991}}', { credit: { events: "5", bytes: "9007199254740991" } }],
    ['{"ack":{"through":7}}', { ack: { through: "7" } }],
    ['{"ack":{"numbers":[1,3]}}', { ack: { numbers: ["1", "3"] } }],
    [
      '{"cancel":{"channel":"c","key":"r-17","at":"2026-01-01T00:00:00.000001Z"}}',
      { cancel: { channel: "c", key: "r-17", atUs: "1767225600000001" } },
    ],
    ['{"cancel":{"channel":"c","key":"k"}}', { cancel: { channel: "c", key: "k" } }],
    ['{"set":{"values":{"x":1,"a.b":"y"}}}', { set: { values: { x: { integer: "1" }, "a.b": { text: "y" } } } }],
    ['{"evaluate":{"contract":"n"}}', { evaluate: { contract: "n" } }],
    ['{"observe":{"contract":"n"}}', { observe: { contract: "n" } }],
    ['{"ping":{},"ref":0}', { ref: 0, ping: {} }],
    [typed('"dataBase64":"AAH/"'), { publish: { channel: "c", events: [{ type: "t", data: "AAH/" }] } }],
    [
      typed('"dataContentType":"text/plain","data":"\\u00e9"'),
      { publish: { channel: "c", events: [{ type: "t", dataContentType: "text/plain", data: "w6k=" }] } },
    ],
    [
      typed('"data":null'),
      { publish: { channel: "c", events: [{ type: "t", data: Buffer.from("null").toString("base64") }] } },
    ],
    [typed('"ttlMs":250'), { publish: { channel: "c", events: [{ type: "t", ttlMs: "250" }] } }],
    [typed('"priority":4.0'), { publish: { channel: "c", events: [{ type: "t", priority: 4 }] } }],
  ])("%s", (text, want) => {
    const read = clientFrameFromJson(text);
    if (!read.ok) throw read.error;
    expect(toJson(ClientFrameSchema, read.frame)).toEqual(want);
  });
});

describe("clientFrameFromJson() refuses", () => {
  test.each([
    // --- Frames ---
    { name: "what is no object", text: "[1]", code: "invalid_value" },
    { name: "a frame without a kind", text: '{"ref":1}', code: "frame_kind", value: [], limit: 1, ref: 1 },
    {
      name: "a frame of two kinds",
      text: '{"ping":{},"ack":{"through":1}}',
      code: "frame_kind",
      value: ["ack", "ping"],
      limit: 1,
    },
    { name: "an unknown kind", text: '{"ref":7,"publsih":{}}', code: "unknown_field", value: "publsih", ref: 7 },
    { name: "__proto__ as a kind", text: '{"__proto__":{"ping":{}}}', code: "unknown_field", value: "__proto__" },
    { name: "a ref below 0", text: '{"ref":-1,"ping":{}}', code: "invalid_value", value: -1, limit: 0 },
    {
      name: "a ref of 2^32",
      text: '{"ref":4294967296,"ping":{}}',
      code: "invalid_value",
      value: 4_294_967_296,
      limit: 4_294_967_295,
    },
    { name: "a ref that is text", text: '{"ref":"1","ping":{}}', code: "invalid_value", value: "1" },
    { name: "a member of ping", text: '{"ping":{"a":1}}', code: "unknown_field", value: "ping.a" },
    { name: "a kind that is null", text: '{"ping":null}', code: "invalid_value", value: null },
    // --- Publish ---
    { name: "no channel", text: '{"publish":{"events":[]}}', code: "invalid_value", value: "publish.channel" },
    { name: "an empty channel", text: '{"publish":{"channel":"","events":[]}}', code: "channel_name", value: "" },
    {
      name: "a channel that begins with a dot",
      text: '{"publish":{"channel":".a","events":[]}}',
      code: "channel_name",
      value: ".a",
    },
    {
      name: "a channel of 256 characters",
      text: `{"publish":{"channel":"${"a".repeat(256)}","events":[]}}`,
      code: "channel_name",
      limit: 255,
    },
    {
      name: "a channel number",
      text: '{"publish":{"channel":"c","channelNumber":1,"events":[]}}',
      code: "unknown_field",
      value: "publish.channelNumber",
    },
    {
      name: "events that are no array",
      text: '{"publish":{"channel":"c","events":{"type":"t"}}}',
      code: "invalid_value",
      value: "publish.events",
    },
    {
      name: "an event that is no object",
      text: '{"publish":{"channel":"c","events":["t"]}}',
      code: "invalid_value",
      value: "t",
    },
    // --- Events ---
    { name: "an unknown member", text: event('"tpye":"t"'), code: "unknown_field", value: at(".tpye") },
    { name: "an event without type", text: event(""), code: "type_missing", value: at(".type") },
    { name: "an empty type", text: event('"type":""'), code: "type_missing", value: at(".type") },
    { name: "a type that is no text", text: event('"type":5'), code: "invalid_value", value: 5 },
    { name: "a long type", text: event(`"type":"${"é".repeat(129)}"`), code: "type_too_long", limit: limits.typeBytes },
    { name: "a long key", text: typed(`"key":"${"k".repeat(1025)}"`), code: "key_too_long", limit: limits.keyBytes },
    { name: "a subject that is null", text: typed('"subject":null'), code: "invalid_value", value: null },
    { name: "priority 10", text: typed('"priority":10'), code: "priority_out_of_range", value: 10, limit: 9 },
    { name: "priority -1", text: typed('"priority":-1'), code: "priority_out_of_range", value: -1, limit: 9 },
    { name: "priority 1.5", text: typed('"priority":1.5'), code: "priority_out_of_range", value: 1.5, limit: 9 },
    { name: "a priority that is text", text: typed('"priority":"4"'), code: "invalid_value", value: "4" },
    { name: "a moment that is none", text: typed('"time":"yesterday"'), code: "invalid_value", value: "yesterday" },
    {
      name: "a moment in the year 0",
      text: typed('"time":"0000-01-01T00:00:00Z"'),
      code: "time_out_of_range",
      value: "0000-01-01T00:00:00Z",
    },
    {
      name: "a moment that is a number",
      text: typed('"deliverBy":1767225600'),
      code: "invalid_value",
      value: 1_767_225_600,
    },
    {
      name: "a TTL below 0",
      text: typed('"ttlMs":-1'),
      code: "time_out_of_range",
      value: -1,
      limit: limits.durationMs,
    },
    {
      name: "a TTL beyond the calendar",
      text: typed('"ttlMs":253402300800000'),
      code: "time_out_of_range",
      limit: limits.durationMs,
    },
    { name: "a TTL that is not whole", text: typed('"ttlMs":0.5'), code: "invalid_value", value: 0.5 },
    {
      name: "a TTL beside deliverBy",
      text: typed('"ttlMs":1,"deliverBy":"2026-01-01T00:00:00Z"'),
      code: "invalid_value",
      value: 1,
    },
    { name: "data twice", text: typed('"data":1,"dataBase64":"AA=="'), code: "invalid_value", value: "AA==" },
    { name: "base64 without padding", text: typed('"dataBase64":"AA"'), code: "invalid_value", value: "AA" },
    { name: "base64 of the URL alphabet", text: typed('"dataBase64":"-_-_"'), code: "invalid_value", value: "-_-_" },
    { name: "base64 with stray bits", text: typed('"dataBase64":"AB=="'), code: "invalid_value", value: "AB==" },
    { name: "base64 with a line break", text: typed('"dataBase64":"AAAA\\n"'), code: "invalid_value", value: "AAAA\n" },
    {
      name: "text/plain that is no text",
      text: typed('"dataContentType":"text/plain","data":{"a":1}'),
      code: "invalid_value",
      value: at(".data"),
    },
    {
      name: "image/png that is a number",
      text: typed('"data":7,"dataContentType":"image/png"'),
      code: "invalid_value",
      value: at(".data"),
    },
    {
      name: "text with a lone surrogate",
      text: typed('"dataContentType":"text/plain","data":"\\ud800"'),
      code: "not_utf8",
    },
    { name: "a name twice", text: typed('"type":"u"'), code: "malformed", value: at(".type") },
    {
      name: "data nested too deep",
      text: typed(`"data":${nested(limits.jsonDepth)}`),
      code: "limit_reached",
      limit: limits.jsonDepth,
    },
    // --- Attributes ---
    {
      name: "an attribute with a capital",
      text: typed('"attributes":{"Load":1}'),
      code: "attribute_name",
      value: "Load",
    },
    { name: "an attribute without name", text: typed('"attributes":{"":1}'), code: "attribute_name", value: "" },
    {
      name: "an attribute that begins with a digit",
      text: typed('"attributes":{"1a":1}'),
      code: "attribute_name",
      value: "1a",
    },
    {
      name: "an attribute of 65 characters",
      text: typed(`"attributes":{"${"a".repeat(65)}":1}`),
      code: "attribute_name",
      value: "a".repeat(65),
    },
    {
      name: "__proto__ as an attribute",
      text: typed('"attributes":{"__proto__":{"polluted":1}}'),
      code: "attribute_name",
      value: "__proto__",
    },
    { name: "an attribute that is null", text: typed('"attributes":{"a":null}'), code: "invalid_value", value: null },
    {
      name: "an attribute that is an object",
      text: typed('"attributes":{"a":{}}'),
      code: "invalid_value",
      value: at(".attributes.a"),
    },
    { name: "an attribute that is an array", text: typed('"attributes":{"a":[1]}'), code: "invalid_value" },
    {
      name: "an attribute beyond a double",
      text: typed('"attributes":{"a":1e400}'),
      code: "invalid_value",
      value: "1e400",
    },
    {
      name: "65 attributes",
      text: typed(`"attributes":{${Array.from({ length: 65 }, (_, index) => `"a${index}":1`)}}`),
      code: "attributes_too_many",
      value: 65,
      limit: 64,
    },
    { name: "attributes that are an array", text: typed('"attributes":[1]'), code: "invalid_value" },
    // --- Other kinds ---
    {
      name: "a role that is none",
      text: '{"join":{"channel":"c","role":"observer"}}',
      code: "invalid_value",
      value: "observer",
      limit: ["sink", "source", "both"],
    },
    {
      name: "65 types",
      text: `{"join":{"channel":"c","types":[${Array(65).fill('"t"')}]}}`,
      code: "invalid_value",
      value: "join.types",
      limit: 64,
    },
    {
      name: "an empty type in a list",
      text: '{"join":{"channel":"c","types":[""]}}',
      code: "invalid_value",
      value: "",
    },
    {
      name: "a filter of another stage",
      text: '{"join":{"channel":"c","filters":{"mid":{}}}}',
      code: "unknown_field",
      value: "join.filters.mid",
    },
    {
      name: "a filter nested too deep",
      text: `{"join":{"channel":"c","filters":{"in":${nested(limits.structDepth + 1)}}}}`,
      code: "limit_reached",
      limit: limits.structDepth,
    },
    {
      name: "a long expression",
      text: `{"join":{"channel":"c","where":"${"a".repeat(8193)}"}}`,
      code: "invalid_value",
      limit: limits.expressionBytes,
    },
    { name: "a rate of 0", text: '{"join":{"channel":"c","rate":0}}', code: "invalid_value", value: 0, limit: 0 },
    { name: "a member without m", text: '{"leave":{"member":"7"}}', code: "invalid_value", value: "7" },
    { name: "a member m0", text: '{"leave":{"member":"m0"}}', code: "invalid_value", value: "m0" },
    {
      name: "a member of 2^32",
      text: '{"update":{"member":"m4294967296"}}',
      code: "invalid_value",
      value: "m4294967296",
    },
    { name: "a member that is a number", text: '{"update":{"member":7}}', code: "invalid_value", value: 7 },
    { name: "an update without member", text: '{"update":{}}', code: "invalid_value", value: "update.member" },
    { name: "an ack of nothing", text: '{"ack":{}}', code: "invalid_value", value: "ack" },
    {
      name: "a number beyond 2^53",
      text: '{"ack":{"through":9007199254740992}}',
      code: "invalid_value",
      value: 9_007_199_254_740_992,
    },
    { name: "credit below 0", text: '{"credit":{"events":-1}}', code: "invalid_value", value: -1, limit: 0 },
    {
      name: "credit of a channel",
      text: '{"credit":{"channel":"c","events":1}}',
      code: "unknown_field",
      value: "credit.channel",
    },
    { name: "a cancel without key", text: '{"cancel":{"channel":"c"}}', code: "invalid_value", value: "cancel.key" },
    { name: "a cancel of an empty key", text: '{"cancel":{"channel":"c","key":""}}', code: "invalid_value", value: "" },
    {
      name: "an ordering that is none",
      text: '{"inbox":{"ordering":"random"}}',
      code: "invalid_value",
      value: "random",
    },
    {
      name: "an inbox for no events",
      text: '{"inbox":{"capacityEvents":0}}',
      code: "invalid_value",
      value: 0,
      limit: 1,
    },
    {
      name: "an inbox within hello, by its path",
      text: '{"hello":{"inbox":{"selct":{}}}}',
      code: "unknown_field",
      value: "hello.inbox.selct",
    },
    {
      name: "a client of 201 bytes",
      text: `{"hello":{"client":"${"c".repeat(201)}"}}`,
      code: "invalid_value",
      limit: limits.clientNameBytes,
    },
    { name: "a condition with a bad name", text: '{"set":{"values":{"-a":1}}}', code: "invalid_value", value: "-a" },
    { name: "what is added as text", text: '{"set":{"add":{"a":"1"}}}', code: "invalid_value", value: "1" },
    { name: "a condition that is null", text: '{"set":{"values":{"a":null}}}', code: "invalid_value", value: null },
    { name: "a contract with a bad name", text: '{"evaluate":{"contract":"A"}}', code: "invalid_value", value: "A" },
  ])("$name", ({ text, code, ...want }) => {
    const read = clientFrameFromJson(text);
    expect(read).toMatchObject({ ok: false, error: { code } });
    if (read.ok) return;
    if ("value" in want) expect(read.error.value).toEqual(want.value);
    if ("limit" in want) expect(read.error.limit).toEqual(want.limit);
    expect(read.ref).toBe(want.ref);
    expect(read.error.message).toMatch(/^Cannot .*[^.]$/);
    expect(read.error.message.length).toBeLessThan(300);
    // The session reads through the fast way first; it must come to the same.
    const codec = createSocketCodec(testNames).read(bytesOf(text));
    expect(codec).toMatchObject({ ok: false, error: { code, message: read.error.message } });
    expect({}).not.toHaveProperty("polluted");
  });

  test("an unknown field before what it causes, so that a misspelt name is told as such", () => {
    const read = clientFrameFromJson(event('"tpye":"t","priority":99'));
    expect(read).toMatchObject({ ok: false, error: { code: "unknown_field", value: at(".tpye") } });
  });

  test("a value of any size without repeating all of it", () => {
    const read = clientFrameFromJson(`{"publish":{"channel":"${"x y".repeat(100_000)}","events":[]}}`);
    if (read.ok) throw new Error("It was taken");
    expect(read.error.message.length).toBeLessThan(300);
    expect(String(read.error.value).length).toBeLessThanOrEqual(256);
  });

  test.each([
    [
      "events",
      "publish.events",
      (entries: string) => `{"publish":{"channel":"c","events":${entries}}}`,
      limits.publishEvents,
    ],
    ["types", "join.types", (entries: string) => `{"join":{"channel":"c","types":${entries}}}`, limits.types],
    ["numbers", "ack.numbers", (entries: string) => `{"ack":{"numbers":${entries}}}`, limits.listEntries],
    [
      "removals",
      "update.remove",
      (entries: string) => `{"update":{"member":"m1","remove":${entries}}}`,
      limits.listEntries,
    ],
  ])("300,000 wrong %s for their number, before it looks at one", (_name, value, text, limit) => {
    const read = clientFrameFromJson(text(`[${Array(300_000).fill("{}").join(",")}]`));
    expect(read).toMatchObject({ ok: false, error: { code: "invalid_value", value, limit } });
  });
});
