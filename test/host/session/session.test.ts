/**
 * Small parts of a session that no client can see by itself.
 */
import { describe, expect, test } from "vitest";
import { ROLE_SINK, ROLE_SOURCE } from "../../../core-wasm/abi.ts";
import { SluiceError } from "../../../host/errors.ts";
import { farewellBytes, problemBytes } from "../../../host/session/farewell.ts";
import { problemFrom } from "../../../host/session/frames.ts";
import { Memberships } from "../../../host/session/memberships.ts";
import type { Port } from "../../../host/session/port.ts";
import type { Session } from "../../../host/session/session.ts";
import { closeFrame, headerBytes, OPCODE_BINARY, websocketFrame } from "../../../host/session/websocket-frame.ts";
import { OPCODE_CLOSE, serverFrames } from "../../core-wasm/websocket.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestService } from "../support/service.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

describe("goodbyes", () => {
  test("the reason of a close frame is cut at a character, by the core and by the host", () => {
    const { service, settle } = createTestService();
    const carrier = new TestCarrier(service, "websocket");
    const session = (carrier.connection as Port).session as Session;
    session.sayGoodbye(3000, "ä".repeat(100));
    session.beginClosing();
    settle();
    const [said] = serverFrames(carrier.writes[0]?.copy ?? new Uint8Array(0));
    expect(said?.opcode).toBe(OPCODE_CLOSE);
    expect(utf8.decode(said?.payload.subarray(2))).toBe("ä".repeat(61));
    const [other] = serverFrames(closeFrame(3000, "ä".repeat(100)));
    expect(other?.payload).toEqual(said?.payload);
    expect(carrier.ended).toBe(true);
  });

  test.each(["stream", "websocket", "websocket-json"] as const)(
    "without a core, %s is told where to come back and why",
    (kind) => {
      const { service } = createTestService({ drainRetryMs: 700 });
      const session = (new TestCarrier(service, kind).connection as Port).session as Session;
      const bytes = farewellBytes(service, session, new SluiceError("core_restarted", "It failed"));
      if (kind === "stream") {
        expect(bytes.subarray(-problemBytes(new SluiceError("core_restarted", "It failed")).length)).toEqual(
          problemBytes(new SluiceError("core_restarted", "It failed")),
        );
        return;
      }
      const frames = serverFrames(bytes);
      const close = frames.at(-1);
      expect(((close?.payload[0] ?? 0) << 8) | (close?.payload[1] ?? 0)).toBe(3001);
      const texts = frames.slice(0, -1).map(({ payload }) => new TextDecoder().decode(payload));
      if (kind === "websocket-json")
        expect(texts.map((text) => Object.keys(JSON.parse(text))[0])).toEqual(["drain", "problem"]);
      else expect(texts.join("")).toContain("core_restarted");
    },
  );

  test.each([0, 125, 126, 65_535, 65_536, 100_000])(
    "websocketFrame() of %i bytes has the shortest header",
    (length) => {
      const frame = websocketFrame(OPCODE_BINARY, new Uint8Array(length).fill(7));
      expect(frame.length).toBe(headerBytes(length) + length);
      const [read, ...rest] = serverFrames(frame);
      expect(rest).toEqual([]);
      expect(read?.payload.length).toBe(length);
    },
  );
});

describe("problemFrom()", () => {
  test("quotes a value of any kind, but not at length", () => {
    const held = (value: unknown): unknown =>
      problemFrom(new SluiceError("invalid_value", "It is wrong", { value }), 1).value?.kind;
    expect(held("x".repeat(10_000))).toMatchObject({ case: "stringValue", value: `${"x".repeat(256)}…` });
    expect(held(Number.NaN)).toMatchObject({ case: "stringValue", value: "NaN" });
    expect(held(5n)).toMatchObject({ case: "numberValue", value: 5 });
    expect(held([1, "a"])).toMatchObject({ case: "listValue" });
    expect(held({ a: 1 })).toMatchObject({ case: "stringValue" });
    expect(held(undefined)).toBeUndefined();
  });
});

describe("Memberships", () => {
  const membership = (member: number, channelNumber: number, role: number, implicit = false) => ({
    member,
    channelNumber,
    channel: `c${channelNumber}`,
    role,
    implicit,
  });

  test("names the sink of a channel only where there is one", () => {
    const memberships = new Memberships(ROLE_SINK);
    memberships.add(membership(1, 7, ROLE_SINK));
    memberships.add(membership(2, 7, ROLE_SOURCE));
    expect(memberships.sinkOf(7)).toBe(1);
    memberships.add(membership(3, 7, ROLE_SINK | ROLE_SOURCE));
    expect(memberships.sinkOf(7)).toBeUndefined();
    memberships.delete(1);
    expect(memberships.sinkOf(7)).toBe(3);
    expect(memberships.sinkOf(8)).toBeUndefined();
  });

  test("finds the implicit source, and forgets what is deleted", () => {
    const memberships = new Memberships(ROLE_SINK);
    memberships.add(membership(1, 7, ROLE_SOURCE));
    memberships.add(membership(2, 7, ROLE_SOURCE, true));
    expect(memberships.implicitOf(7)?.member).toBe(2);
    memberships.delete(2);
    memberships.delete(2);
    expect(memberships.implicitOf(7)).toBeUndefined();
    expect(memberships.ofChannel(7).map(({ member }) => member)).toEqual([1]);
    expect(memberships.count).toBe(1);
    memberships.delete(1);
    expect(memberships.ofChannel(7)).toEqual([]);
  });
});
