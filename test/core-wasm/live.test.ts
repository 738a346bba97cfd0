/** Live attributes with their ages: as expressions see them, and as members' own events set them. */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as code from "../../core-wasm/expression/code.ts";
import { UpdateSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import type { TestConnection } from "./connection.ts";
import { assemble } from "./expression/assemble.ts";
import { type EventInit, encodeEvent, typeList } from "./frames.ts";
import { Harness } from "./harness.ts";

const number = (value: number) => ({ kind: { case: "number" as const, value } });
const text = (value: string) => ({ kind: { case: "text" as const, value } });

/** Moments at which the live attributes were set. */
function ages(harness: Harness, member: number): number[] {
  const count = harness.core.memberAges(member, abi.OUT_OFFSET);
  return Array.from(new Float64Array(harness.memory.slice(abi.OUT_OFFSET, abi.OUT_OFFSET + count * 8).buffer));
}

/** A member of both roles on a channel that does not echo. */
function world() {
  const harness = Harness.create();
  const channel = harness.channel("c", { flags: 0 });
  const connection = harness.open();
  const member = harness.member(connection, channel, abi.ROLE_SINK | abi.ROLE_SOURCE);
  return { harness, channel, connection, member };
}

/** Value of an expression for an event and a member. */
function evaluate(harness: Harness, program: Uint8Array, member: number): number | undefined {
  const expression = harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(program));
  const event = encodeEvent({ type: "t" });
  harness.core.expressionTest(expression, abi.STAGE_OFFSET, harness.stage(event), member);
  harness.core.expressionRelease(expression);
  if (harness.result(abi.RESULT_TYPE) === code.TYPE_MISSING) return undefined;
  const words = new Uint32Array([harness.result(abi.RESULT_NUMBER_LOW), harness.result(abi.RESULT_NUMBER_HIGH)]);
  return new Float64Array(words.buffer)[0];
}

const ageOfLoad = assemble({ names: ["sink.load"], code: [[code.OP_AGE, 0n], [code.OP_END]] });

const update = (connection: TestConnection, member: number, attributes: EventInit["attributes"] = {}, remove = [""]) =>
  connection.send({
    kind: { case: "update", value: { member, attributes, remove: remove.filter((name) => name !== "") } },
  });

describe("memberAges()", () => {
  test("each attribute has the moment at which it was set last", () => {
    const { harness, connection, member } = world();
    const start = harness.now;
    update(connection, member, { load: number(0.5), zone: text("eu") });
    harness.now += 100;
    update(connection, member, { load: number(0.75) });
    expect(ages(harness, member)).toEqual([start + 100, start]);
    harness.now += 100;
    // Another size: the attributes are laid out anew.
    update(connection, member, { zone: text("us-east") });
    expect(ages(harness, member).sort()).toEqual([start + 100, start + 200]);
    harness.now += 100;
    update(connection, member, {}, ["load"]);
    expect(ages(harness, member)).toEqual([start + 200]);
    update(connection, member, {}, ["zone"]);
    expect(ages(harness, member)).toEqual([]);
  });

  test("an equal value is younger all the same", () => {
    const { harness, connection, member } = world();
    update(connection, member, { load: number(0.5) });
    harness.now += 50;
    update(connection, member, { load: number(0.5) });
    expect(ages(harness, member)).toEqual([harness.now]);
  });

  test("an update that is refused changes neither values nor ages", () => {
    const { harness, connection, member } = world();
    update(connection, member, { load: number(0.5) });
    const before = ages(harness, member);
    harness.now += 50;
    const large = { load: number(0.6), big: text("x".repeat(abi.MEMBER_ATTRIBUTES_BYTES_MAX)) };
    const bytes = toBinary(UpdateSchema, create(UpdateSchema, { member, attributes: large }));
    expect(harness.core.memberUpdate(connection.id, abi.STAGE_OFFSET, harness.stage(bytes), harness.now)).toBe(
      abi.STATUS_ATTRIBUTES_TOO_LARGE,
    );
    expect(ages(harness, member)).toEqual(before);
  });
});

describe("age()", () => {
  test("milliseconds since the attribute was set; missing where it is not there", () => {
    const { harness, connection, member } = world();
    expect(evaluate(harness, ageOfLoad, member)).toBeUndefined();
    update(connection, member, { load: number(1.5) });
    expect(evaluate(harness, ageOfLoad, member)).toBe(0);
    harness.now += 1234;
    connection.send({ kind: { case: "credit", value: { events: 1n } } });
    expect(evaluate(harness, ageOfLoad, member)).toBe(1234);
  });

  test("a clock that is set back makes no age negative", () => {
    const { harness, connection, member } = world();
    update(connection, member, { load: number(1.5) });
    harness.now -= 5000;
    connection.send({ kind: { case: "credit", value: { events: 1n } } });
    expect(evaluate(harness, ageOfLoad, member)).toBe(0);
  });
});

describe("memberPiggyback()", () => {
  const names = (harness: Harness, member: number, wanted: readonly string[]) => {
    harness.stage(typeList(wanted));
    return harness.core.memberPiggyback(member, abi.STAGE_OFFSET, wanted.length);
  };
  const loadOf = (harness: Harness, member: number) =>
    evaluate(harness, assemble({ names: ["sink.load"], code: [[code.OP_NAME, 0n], [code.OP_END]] }), member);

  test("named attributes of own events become live ones, others do not", () => {
    const { harness, channel, connection, member } = world();
    expect(names(harness, member, ["load"])).toBe(abi.STATUS_OK);
    connection.publish(channel, [{ type: "t", attributes: { load: number(0.25), zone: text("eu") } }]);
    expect(loadOf(harness, member)).toBe(0.25);
    expect(ages(harness, member)).toEqual([harness.now]);
    // An event that says nothing of it leaves it as it is.
    connection.publish(channel, [{ type: "t" }]);
    expect(loadOf(harness, member)).toBe(0.25);
    expect(names(harness, member, [])).toBe(abi.STATUS_OK);
    connection.publish(channel, [{ type: "t", attributes: { load: number(0.5) } }]);
    expect(loadOf(harness, member)).toBe(0.25);
  });

  test("too many names, and names that are too long, are refused", () => {
    const { harness, member } = world();
    const many = Array.from({ length: abi.ATTRIBUTES_MAX + 1 }, (_, index) => `a${index}`);
    expect(names(harness, member, many)).toBe(abi.STATUS_LIMIT);
    expect(names(harness, member, ["a".repeat(abi.ATTRIBUTE_NAME_BYTES_MAX + 1)])).toBe(abi.STATUS_LIMIT);
  });
});
