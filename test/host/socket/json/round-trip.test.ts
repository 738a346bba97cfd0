/**
 * Goal: every frame means the same in JSON and in protobuf.
 * Method: random frames of each kind go protobuf → JSON → protobuf and JSON → protobuf → JSON; nothing may change.
 */
import { create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClientFrameSchema, HostFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import {
  clientFrameFromJson,
  hostFrameFromJson,
  jsonFromClientFrame,
  jsonFromHostFrame,
} from "../../../../host/socket/json/codec.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { clientFrame, clientKinds, hostFrame, hostKinds } from "./arbitraries.ts";
import { noSession, testNames } from "./names.ts";

const RUNS = 200;

describe("clientFrameFromJson() and jsonFromClientFrame()", () => {
  test.each(Object.keys(clientKinds) as (keyof typeof clientKinds)[])("carry %s both ways without a change", (kind) => {
    fc.assert(
      fc.property(clientFrame(kind), (init) => {
        // Through bytes, so that absence and defaults are those of the wire.
        const frame = fromBinary(ClientFrameSchema, toBinary(ClientFrameSchema, create(ClientFrameSchema, init)));
        const json = jsonFromClientFrame(frame);
        const read = clientFrameFromJson(json);
        if (!read.ok) throw read.error;
        expect(equals(ClientFrameSchema, read.frame, frame)).toBe(true);
        // What the host makes of it must encode too, deep filters included.
        expect(toBinary(ClientFrameSchema, read.frame).length).toBeGreaterThan(0);
        expect(jsonFromClientFrame(read.frame)).toBe(json);
        expect(JSON.parse(json)).toHaveProperty([kind]);
      }),
      propertyParameters(RUNS),
    );
  });
});

describe("hostFrameFromJson() and jsonFromHostFrame()", () => {
  test.each(Object.keys(hostKinds) as (keyof typeof hostKinds)[])("carry %s both ways without a change", (kind) => {
    fc.assert(
      fc.property(hostFrame(kind), (init) => {
        const frame = fromBinary(HostFrameSchema, toBinary(HostFrameSchema, create(HostFrameSchema, init)));
        const json = jsonFromHostFrame(frame, testNames, noSession);
        const read = hostFrameFromJson(json);
        if (!read.ok) throw read.error;
        expect(equals(HostFrameSchema, read.value, frame)).toBe(true);
        expect(jsonFromHostFrame(read.value, testNames, noSession)).toBe(json);
        expect(JSON.parse(json)).toHaveProperty([kind]);
      }),
      propertyParameters(RUNS),
    );
  });
});
