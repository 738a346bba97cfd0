/**
 * The two sides of `sluice bench`: connections over TCP with binary frames, as cheap as they can be made in JavaScript,
 * so that more of what is measured is the host.
 */
import { connect, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { type ClientFrame, ClientFrameSchema, type HostFrame } from "../gen/sluice/v1/frame_pb.ts";
import { CliError, errorFromNetwork, lineFromProblem } from "./failure.ts";
import { createFrameSplitter, delimited, deliveriesIn, hostFrameFrom } from "./frames.ts";
import type { Address } from "./values.ts";

/** A member over TCP. */
export interface Peer {
  /** What `joined` told: stands for the channel's name in publishes. */
  readonly channelNumber: number;
  /** Events received since the start. */
  readonly received: () => number;
  /** Credit left, events and bytes; only for a source. */
  readonly credit: { events: number; bytes: number };
  write(bytes: Uint8Array): boolean;
  readonly socket: Socket;
}

/** What peers report while they run. */
export interface PeerEvents {
  /** Something arrived: look at received() and credit again. */
  onProgress(): void;
  /** While set, each delivery's data is handed over (the latency phase); without it they are only counted. */
  onData?: ((data: Uint8Array) => void) | undefined;
  onFailure(reason: CliError): void;
}

/** Beyond any run: the closed loop of the bench paces deliveries, not the host. */
const SINK_CREDIT = 2n ** 52n;

/**
 * Connects, joins and resolves when the host has answered.
 *
 * @throws {CliError} where nobody answers or the join is refused.
 */
export function openPeer(
  address: Address,
  channel: string,
  role: "sink" | "source",
  events: PeerEvents,
): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const credit = { events: 0, bytes: 0 };
    let received = 0;
    let joined = false;
    const fail = (reason: CliError): void => {
      if (joined) events.onFailure(reason);
      else reject(reason);
      socket.destroy();
    };
    const onFrame = (frame: HostFrame): void => {
      const { kind } = frame;
      if (kind.case === "joined") {
        joined = true;
        credit.events += Number(kind.value.credit?.events ?? 0n);
        credit.bytes += Number(kind.value.credit?.bytes ?? 0n);
        resolve({
          channelNumber: kind.value.channelNumber,
          received: () => received,
          credit,
          write: (bytes) => socket.write(bytes),
          socket,
        });
      } else if (kind.case === "credit") {
        credit.events += Number(kind.value.events);
        credit.bytes += Number(kind.value.bytes);
      } else if (kind.case === "problem") {
        fail(
          new CliError(
            lineFromProblem({
              code: kind.value.code,
              title: kind.value.title,
              detail: kind.value.detail || kind.value.title,
            }),
          ),
        );
      } else if (kind.case === "drain") {
        fail(new CliError("the host is shutting down"));
      }
    };
    const read = createFrameSplitter((bytes) => {
      const count = deliveriesIn(bytes);
      received += count;
      if (count === 0) onFrame(hostFrameFrom(bytes));
      else if (events.onData !== undefined) {
        const { kind } = hostFrameFrom(bytes);
        if (kind.case === "deliver")
          for (const entry of kind.value.events) events.onData(entry.event?.data ?? new Uint8Array(0));
      }
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        read(chunk);
      } catch (reason) {
        fail(reason instanceof CliError ? reason : new CliError(String(reason)));
      }
      events.onProgress();
    });
    socket.on("drain", () => events.onProgress());
    socket.on("error", (reason) => fail(errorFromNetwork(reason, `tcp://${address.host}:${address.port}`)));
    socket.on("close", () => fail(new CliError("the host closed the connection")));
    socket.on("connect", () => {
      const join = create(ClientFrameSchema, { ref: 1, kind: { case: "join", value: { channel, role } } });
      // Credit first: what it grants then holds from the first delivery on.
      if (role === "sink") {
        const grant = { case: "credit", value: { events: SINK_CREDIT, bytes: SINK_CREDIT } } as const;
        socket.write(encoded(create(ClientFrameSchema, { kind: grant })));
      }
      socket.write(encoded(join));
    });
  });
}

function encoded(frame: ClientFrame): Uint8Array {
  return delimited(toBinary(ClientFrameSchema, frame));
}
