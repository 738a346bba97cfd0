/**
 * A carrier without a system behind it: what the host writes is kept, and a write is taken when the test says so.
 */
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { type ClientFrameSchema, type HostFrame, HostFrameSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";
import type { Service } from "../../../host/service.ts";
import type { Connection, ConnectionAdapter, ConnectionKind } from "../../../host/session/connection.ts";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { sizeDelimited, splitSizeDelimited } from "../../core-wasm/wire.ts";

/** A session whose carrier is the test. */
export class TestCarrier implements ConnectionAdapter {
  /** Every write: the very bytes that were given, and a copy made at that moment. */
  readonly writes: { readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  /** Whether writes are taken at once. */
  takes = true;
  ended = false;
  destroyed = false;
  readonly connection: Connection;

  constructor(service: Service, kind: ConnectionKind = "stream") {
    this.connection = service.openConnection(kind, this);
  }

  write(bytes: Uint8Array): boolean {
    this.writes.push({ bytes, copy: bytes.slice() });
    return this.takes;
  }

  pendingBytes(): number {
    return this.takes ? 0 : (this.writes.at(-1)?.bytes.length ?? 0);
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Sends one frame. */
  send(frame: MessageInitShape<typeof ClientFrameSchema>): void {
    this.connection.receive(sizeDelimited(encodeFrame(frame)));
  }

  /** Joins as a sink. */
  join(channel: string): void {
    this.send({ kind: { case: "join", value: { channel } } });
  }

  /** Publishes events of one type, without a receipt. */
  publish(channel: string, count: number, data = new Uint8Array(0)): void {
    const events = Array.from({ length: count }, () => ({ type: "t", data }));
    this.send({ kind: { case: "publish", value: { channel, events } } });
  }

  /** Frames of all writes so far. */
  frames(): HostFrame["kind"][] {
    return this.writes.flatMap(({ copy }) =>
      splitSizeDelimited(copy).map((frame) => fromBinary(HostFrameSchema, frame).kind),
    );
  }

  /** Deliveries of all writes so far. */
  delivered(): number {
    return this.frames().filter((kind) => kind.case === "deliver").length;
  }
}
