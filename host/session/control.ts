/**
 * The rare frames: what a session asks of the host itself. Publish, credit, ack and cancel never come here, of updates those of
 * patterns.
 */
import { create } from "@bufbuild/protobuf";
import { placeText } from "../core/instance.ts";
import { SluiceError } from "../errors.ts";
import {
  type ClientFrame,
  type Hello,
  HostFrameSchema,
  type Inbox,
  LimitsSchema,
  PongSchema,
  WelcomeSchema,
} from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import { createSecret } from "../options.ts";
import { leftFrame, type Ref, refField } from "./frames.ts";
import { defaultInbox, inboxFromFrame, notSupported } from "./inbox.ts";
import { applyInbox } from "./inbox-apply.ts";
import { join } from "./join.ts";
import { leave } from "./leave.ts";
import { emptyReceipt } from "./receipt.ts";
import type { Session } from "./session.ts";
import { implicitSource } from "./state.ts";

/**
 * Carries out one control frame and answers it.
 *
 * @throws {SluiceError} The refusal; the caller tells the session with the frame's `ref`.
 */
export function handleControl(session: Session, frame: ClientFrame): void {
  const { ref, kind } = frame;
  switch (kind.case) {
    case "hello":
      return hello(session, kind.value, ref);
    case "join":
      join(session, kind.value, ref);
      return;
    case "leave":
      leave(session, kind.value.member);
      return session.answer(leftFrame(kind.value.member, "left", ref));
    // Only those of a pattern come here: the core has no such member.
    case "update":
      session.engine.patterns.update(session, kind.value);
      if (ref !== undefined) session.answer(emptyReceipt(ref));
      return;
    case "inbox":
      setInbox(session, kind.value, "inbox");
      if (ref !== undefined) session.answer(emptyReceipt(ref));
      return;
    case "ping":
      return session.answer(
        create(HostFrameSchema, { kind: { case: "pong", value: create(PongSchema, refField(ref)) } }),
      );
    case "set":
    case "evaluate":
    case "observe":
      throw notSupported(kind.case, undefined);
    default:
      throw new SluiceError("frame_kind", `A frame of kind ${kind.case ?? "none"} is not for the host`);
  }
}

/**
 * Greets. A session that is to be resumed is answered honestly: this version keeps none, so the client starts anew.
 *
 * A token is not looked at: without one, only loopback is served, or whoever `--insecure` lets in.
 */
function hello(session: Session, frame: Hello, ref: Ref): void {
  if (session.greeted)
    throw new SluiceError("invalid_value", "Cannot greet twice, a session has one hello", { value: "hello" });
  const client = encodeURIComponent(frame.client.toWellFormed());
  if (client.length > limits.clientNameBytes) {
    throw new SluiceError(
      "invalid_value",
      `A client name of ${client.length} bytes (percent-encoded) is too long, limit is ${limits.clientNameBytes}`,
      {
        value: client.length,
        limit: limits.clientNameBytes,
      },
    );
  }
  if (frame.inbox !== undefined) setInbox(session, frame.inbox, "hello.inbox");
  session.greeted = true;
  const { core, options } = session.engine;
  if (client !== "") {
    const source = placeText(core, implicitSource(client, session.number));
    core.exports.connectionSource(session.id, source.at, source.bytes);
  }
  const welcome = create(WelcomeSchema, {
    ...refField(ref),
    host: options.hostId,
    session: createSecret(),
    resumed: false,
    epoch: BigInt(core.epoch),
    limits: create(LimitsSchema, {
      frameBytes: BigInt(limits.frameBytes),
      eventBytes: BigInt(limits.eventBytes),
      publishEvents: limits.publishEvents,
      joins: options.joins,
    }),
  });
  session.answer(create(HostFrameSchema, { kind: { case: "welcome", value: welcome } }));
}

function setInbox(session: Session, frame: Inbox, path: string): void {
  applyInbox(session, inboxFromFrame(session.inbox ?? defaultInbox, frame, `${path}.`));
}
