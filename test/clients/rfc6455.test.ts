/**
 * Goal: what RFC 6455 asks of a server, seen from the wire. Method: frames made by hand, over a raw socket, against a real
 * process; what breaks the protocol is answered with a close frame of the documented code, and what does not is carried
 * out. The numbers in the names are the sections of the RFC.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codes } from "../../host/errors.ts";
import {
  clientFrame,
  closeMessage,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  textMessage,
} from "../core-wasm/websocket.ts";
import { join, raw, utf8 } from "../core-wasm/wire.ts";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";
import { openRaw, type RawWebSocket } from "./raw-websocket.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

const open = (protocol: "sluice.v1.json" | "sluice.v1.proto" = "sluice.v1.json"): Promise<RawWebSocket> =>
  openRaw(Number(new URL(host.url).port), protocol);

/** Proves that a session still works. */
async function answers(socket: RawWebSocket): Promise<void> {
  socket.send(textMessage('{"ref":99,"ping":{}}'));
  expect(JSON.parse((await socket.text()) ?? "")).toEqual({ pong: { ref: 99 } });
}

/** A JSON frame of exactly `bytes` bytes: a ping of this protocol, filled with blanks. */
function pingOf(bytes: number): Uint8Array {
  const [head, tail] = ['{"ref":1,"ping":{}', "}"];
  return utf8(head + " ".repeat(bytes - head.length - tail.length) + tail);
}

describe("5.2 lengths", () => {
  test.each([125, 126, 127, 128, 65_535, 65_536, 1_000_000])("a text message of %d bytes", async (bytes) => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_TEXT, pingOf(bytes)));
    expect(JSON.parse((await socket.text()) ?? "")).toEqual({ pong: { ref: 1 } });
  });

  test("a message of 0 bytes is no JSON, and the session goes on", async () => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_TEXT, raw()));
    expect(JSON.parse((await socket.text()) ?? "")).toMatchObject({ problem: { code: "malformed" } });
    await answers(socket);
  });

  test.each([
    { name: "125 in two bytes", bytes: clientFrame(OPCODE_TEXT, pingOf(125), { lengthBytes: 2 }) },
    { name: "126 in eight bytes", bytes: clientFrame(OPCODE_TEXT, pingOf(126), { lengthBytes: 8 }) },
  ])("$name is refused", async ({ bytes }) => {
    const socket = await open();
    socket.send(bytes);
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });

  test.each([2n ** 24n, 2n ** 32n, 2n ** 40n, 2n ** 63n])("a length of %d is refused unread", async (length) => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_TEXT, raw(1, 2, 3), { lengthBytes: 8, length }));
    const { code } = await socket.closed();
    expect([codes.frame_too_large.close, codes.websocket_protocol.close]).toContain(code);
  });
});

describe("5.4 fragments", () => {
  const text = pingOf(60);

  test.each([1, 2, 7, 59])("a message in fragments of %d bytes", async (size) => {
    const socket = await open();
    for (let at = 0; at < text.length; at += size) {
      const [opcode, fin] = [at === 0 ? OPCODE_TEXT : OPCODE_CONTINUATION, at + size >= text.length];
      socket.send(clientFrame(opcode, text.slice(at, at + size), { fin }));
    }
    expect(JSON.parse((await socket.text()) ?? "")).toEqual({ pong: { ref: 1 } });
  });

  test("fragments of no bytes before, between and after", async () => {
    const socket = await open();
    socket.send(
      clientFrame(OPCODE_TEXT, raw(), { fin: false }),
      clientFrame(OPCODE_CONTINUATION, text.slice(0, 30), { fin: false }),
      clientFrame(OPCODE_CONTINUATION, raw(), { fin: false }),
      clientFrame(OPCODE_CONTINUATION, text.slice(30), { fin: false }),
      clientFrame(OPCODE_CONTINUATION, raw()),
    );
    expect(JSON.parse((await socket.text()) ?? "")).toEqual({ pong: { ref: 1 } });
  });

  test("pings between fragments are answered at once, in their order", async () => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_TEXT, text.slice(0, 10), { fin: false }));
    for (const word of ["one", "two", "three"]) {
      socket.send(clientFrame(OPCODE_PING, utf8(word)));
      expect(await socket.next()).toEqual({ opcode: OPCODE_PONG, text: word });
    }
    socket.send(clientFrame(OPCODE_CONTINUATION, text.slice(10)));
    expect(JSON.parse((await socket.text()) ?? "")).toEqual({ pong: { ref: 1 } });
  });

  test.each([
    { name: "a continuation of nothing", bytes: clientFrame(OPCODE_CONTINUATION, utf8("x")) },
    {
      name: "a continuation after the end",
      bytes: join(clientFrame(OPCODE_TEXT, text), clientFrame(OPCODE_CONTINUATION, raw())),
    },
    {
      name: "a message within a message",
      bytes: join(clientFrame(OPCODE_TEXT, text, { fin: false }), clientFrame(OPCODE_TEXT, text)),
    },
  ])("$name is refused", async ({ bytes }) => {
    const socket = await open();
    socket.send(bytes);
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });

  test("a message of the size limit in one-byte fragments is told to be too large when it is", async () => {
    const socket = await open();
    const part = clientFrame(OPCODE_CONTINUATION, new Uint8Array(65_536).fill(0x20), { fin: false });
    socket.send(clientFrame(OPCODE_TEXT, utf8("{"), { fin: false }));
    for (let sent = 0; sent < 18 && !socket.isClosed; sent++) socket.send(part);
    expect((await socket.closed()).code).toBe(codes.frame_too_large.close);
  });
});

describe("5.3 masking", () => {
  test("a frame without a mask is refused", async () => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_TEXT, pingOf(30), { masked: false }));
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });

  test("a ping without a mask is refused", async () => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_PING, raw(), { masked: false }));
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });

  test.each([raw(0, 0, 0, 0), raw(255, 255, 255, 255), raw(0, 1, 0, 1)])("a mask of %s", async (key) => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_TEXT, pingOf(77), { key }));
    expect(JSON.parse((await socket.text()) ?? "")).toEqual({ pong: { ref: 1 } });
  });
});

describe("5.2 reserved bits and opcodes", () => {
  const wrong = [
    ...[1, 2, 4, 7].map((reserved) => ({
      name: `reserved bits ${reserved}`,
      opcode: OPCODE_TEXT,
      options: { reserved },
    })),
    { name: "reserved bits of a ping", opcode: OPCODE_PING, options: { reserved: 4 } },
    ...[3, 7, 11, 15].map((opcode) => ({ name: `opcode ${opcode}`, opcode, options: {} })),
  ];
  test.each(wrong)("$name: refused", async ({ opcode, options }) => {
    const socket = await open();
    socket.send(clientFrame(opcode, pingOf(30), options));
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });
});

describe("5.5 control frames", () => {
  test.each([0, 1, 125])("a ping of %d bytes is answered with the same bytes", async (bytes) => {
    const socket = await open();
    const word = "p".repeat(bytes);
    socket.send(clientFrame(OPCODE_PING, utf8(word)));
    expect(await socket.next()).toEqual({ opcode: OPCODE_PONG, text: word });
  });

  test("a pong that nobody asked for is taken and not answered", async () => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_PONG, utf8("unasked")));
    await answers(socket);
  });

  test.each([
    { name: "a ping of 126 bytes", bytes: clientFrame(OPCODE_PING, new Uint8Array(126)) },
    { name: "a ping in fragments", bytes: clientFrame(OPCODE_PING, raw(), { fin: false }) },
    { name: "a close in fragments", bytes: clientFrame(OPCODE_CLOSE, raw(), { fin: false }) },
  ])("$name is refused", async ({ bytes }) => {
    const socket = await open();
    socket.send(bytes);
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });

  test("a thousand pings in one segment get their pongs, all or the last", async () => {
    const socket = await open();
    socket.send(join(...Array.from({ length: 1_000 }, (_, index) => clientFrame(OPCODE_PING, utf8(`${index}`)))));
    for (;;) {
      const frame = await socket.next();
      expect(frame?.opcode).toBe(OPCODE_PONG);
      if (frame?.text === "999") break;
    }
    await answers(socket);
  });
});

describe("5.6 kinds of messages", () => {
  test("bytes on a JSON session are refused", async () => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_BINARY, pingOf(30)));
    expect((await socket.closed()).code).toBe(codes.websocket_kind.close);
  });

  test("text on a binary session is refused", async () => {
    const socket = await open("sluice.v1.proto");
    socket.send(textMessage("{}"));
    expect((await socket.closed()).code).toBe(codes.websocket_kind.close);
  });
});

describe("8.1 UTF-8", () => {
  test("a character cut by fragments is put together", async () => {
    const socket = await open();
    const bytes = utf8('{"ref":1,"join":{"channel":"rfc","attributes":{"zone":"käse 🧀"}}}');
    for (let at = 0; at < bytes.length; at++)
      socket.send(
        clientFrame(at === 0 ? OPCODE_TEXT : OPCODE_CONTINUATION, bytes.slice(at, at + 1), {
          fin: at === bytes.length - 1,
        }),
      );
    expect(JSON.parse((await socket.text()) ?? "")).toMatchObject({ joined: { ref: 1, channel: "rfc" } });
  });

  test.each([
    { name: "a byte that never occurs", bytes: raw(0xff) },
    { name: "an overlong slash", bytes: raw(0xc0, 0xaf) },
    { name: "a surrogate", bytes: raw(0xed, 0xa0, 0x80) },
    { name: "a cut character", bytes: raw(0xe2, 0x82) },
    { name: "beyond Unicode", bytes: raw(0xf4, 0x90, 0x80, 0x80) },
  ])("$name ends the session with not_utf8", async ({ bytes }) => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_TEXT, join(utf8('{"ping":{},"x":"'), bytes, utf8('"}'))));
    expect((await socket.closed()).code).toBe(codes.not_utf8.close);
  });
});

describe("7 closing", () => {
  test.each([
    { name: "1000 with a reason", sent: closeMessage(1000, "bye"), code: 1000 },
    { name: "1001", sent: closeMessage(1001), code: 1001 },
    { name: "no code", sent: closeMessage(), code: 1005 },
    { name: "a registered code", sent: closeMessage(3000), code: 3000 },
    { name: "a private code", sent: closeMessage(4999, "ö"), code: 4999 },
    { name: "125 bytes", sent: closeMessage(1000, "r".repeat(123)), code: 1000 },
  ])("$name is answered with the same code, and the host hangs up", async ({ sent, code }) => {
    const socket = await open();
    socket.send(sent);
    expect(await socket.closed()).toMatchObject({ code, hungUp: true });
  });

  test.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000])("code %d may not be sent", async (code) => {
    const socket = await open();
    socket.send(closeMessage(code));
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });

  test.each([
    { name: "one byte", payload: raw(3) },
    { name: "a reason that is no UTF-8", payload: raw(3, 232, 0xff) },
  ])("a close of $name is refused", async ({ payload }) => {
    const socket = await open();
    socket.send(clientFrame(OPCODE_CLOSE, payload));
    expect((await socket.closed()).code).toBe(codes.websocket_protocol.close);
  });

  test("what follows a close frame is not looked at", async () => {
    const socket = await open();
    socket.send(join(closeMessage(1000), textMessage('{"ref":1,"ping":{}}')));
    expect(await socket.closed()).toMatchObject({ code: 1000, hungUp: true });
    expect(socket.seen.filter(({ opcode }) => opcode === OPCODE_TEXT)).toEqual([]);
  });

  test("a peer that hangs up without a close frame leaves nothing behind", async () => {
    const socket = await open();
    await answers(socket);
    socket.hangUp();
    await expect
      .poll(async () => /sluice_sessions (\d+)/.exec(await (await fetch(`${host.url}/metrics`)).text())?.[1])
      .toBe("0");
  });
});

describe("bytes one by one", () => {
  test("a conversation cut at every byte is the same conversation", async () => {
    const socket = await open();
    const bytes = join(
      textMessage('{"ref":1,"ping":{}}'),
      clientFrame(OPCODE_PING, utf8("p")),
      clientFrame(OPCODE_TEXT, pingOf(200), { fin: false }),
      clientFrame(OPCODE_CONTINUATION, raw()),
      closeMessage(1000, "done"),
    );
    for (const byte of bytes) {
      socket.send(raw(byte));
      await socket.flushed();
    }
    expect(await socket.closed()).toMatchObject({ code: 1000 });
    expect(socket.seen.map(({ opcode }) => opcode)).toEqual([OPCODE_TEXT, OPCODE_PONG, OPCODE_TEXT, OPCODE_CLOSE]);
  });
});
