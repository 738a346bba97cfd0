/**
 * The rare frames: what a session asks of the host itself. Publish, credit, ack and cancel never come here, of updates those of
 * patterns.
 */
import { create } from "@bufbuild/protobuf";
import { MEMBER_PATTERN_MIN } from "../../core-wasm/abi.ts";
import type { ConditionChange } from "../condition/conditions.ts";
import { placeText } from "../core/instance.ts";
import { SluiceError } from "../errors.ts";
import type { Value } from "../gen/sluice/v1/event_pb.ts";
import {
  type ClientFrame,
  type Hello,
  HostFrameSchema,
  type Inbox,
  LimitsSchema,
  type Observe,
  PongSchema,
  type Set as SetFrame,
  type Update,
  WelcomeSchema,
} from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import { createSecret } from "../options.ts";
import { leftFrame, type Ref, refField } from "./frames.ts";
import { inboxFromFrame } from "./inbox.ts";
import { applyInbox, ownInbox } from "./inbox-apply.ts";
import { join } from "./join.ts";
import { leave } from "./leave.ts";
import { Observing, type RegionState, regionFrame } from "./observing.ts";
import { applyOutbox, noSource } from "./outbox.ts";
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
    // Only those of a pattern come here, which the core has no member for, and those of an outbox, of which it has carried out the rest.
    case "update":
      update(session, kind.value);
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
      session.engine.conditions.change(changesOf(kind.value), session.number);
      if (ref !== undefined) session.answer(emptyReceipt(ref));
      return;
    case "evaluate":
      return tellRegion(session, kind.value.contract, session.engine.regions.evaluate(kind.value.contract), ref);
    case "observe":
      return observe(session, kind.value, ref);
    default:
      throw new SluiceError("frame_kind", `A frame of kind ${kind.case ?? "none"} is not for the host`);
  }
}

/**
 * Greets: goes on with the session that was asked for, if that is possible, else begins a new one.
 *
 * A token is not looked at: without one, only loopback is served, or whoever `--insecure` lets in.
 */
function hello(session: Session, frame: Hello, ref: Ref): void {
  if (session.greeted)
    throw new SluiceError("invalid_value", "Cannot greet twice, a session has one hello", { value: "hello" });
  const client = clientFrom(frame);
  const lingerMs = lingerFrom(frame);
  const former = frame.session === "" ? undefined : formerOf(session, frame);
  if (former !== undefined) return goOn(session, former, frame, { client, lingerMs }, ref);
  if (frame.inbox !== undefined) setInbox(session, frame.inbox, "hello.inbox");
  session.greeted = true;
  const secret = createSecret();
  if (lingerMs > 0) session.engine.resumption.offer(session, secret, lingerMs);
  name(session, client);
  welcome(session, secret, false, ref);
}

/** Goes on with a session that lingers, or whose carrier only seems to live, on the carrier of this one. */
function goOn(
  fresh: Session,
  former: Session,
  frame: Hello,
  { client, lingerMs }: { readonly client: string; readonly lingerMs: number },
  ref: Ref,
): void {
  const { engine } = former;
  const secret = frame.session;
  // First what can be refused.
  const inbox = frame.inbox === undefined ? undefined : inboxFromFrame(ownInbox(former), frame.inbox, "hello.inbox.");
  engine.resumption.resume(former, Number(frame.received ?? 0n), fresh);
  engine.counters.sessionsResumed++;
  const unsaid = former.linger?.unsaid.splice(0) ?? [];
  // A client that does not say it again keeps what it had said.
  if (frame.lingerMs !== undefined) engine.resumption.offer(former, secret, lingerMs);
  name(former, client);
  welcome(former, secret, true, ref);
  for (const answer of unsaid) former.answer(answer);
  if (inbox !== undefined) applyInbox(former, inbox);
  engine.flusher.ready(former);
}

/** The session that a hello asks for, if it is there and nothing that it missed is lost. */
function formerOf(fresh: Session, { session, received }: Hello): Session | undefined {
  if (fresh.memberships !== undefined || fresh.inbox !== undefined) {
    throw new SluiceError("invalid_value", "Cannot go on with another session, hello must be the first frame then", {
      value: "hello.session",
    });
  }
  return fresh.engine.resumption.find(session, Number(received ?? 0n), fresh);
}

function lingerFrom({ lingerMs }: Hello): number {
  const value = Number(lingerMs ?? 0n);
  if (value <= limits.lingerMsMax) return value;
  throw new SluiceError(
    "invalid_value",
    `Cannot linger for ${value} ms, hello.lingerMs must be from 0 to ${limits.lingerMsMax}`,
    { value, limit: [0, limits.lingerMsMax] },
  );
}

function clientFrom(frame: Hello): string {
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
  return client;
}

/** Makes the client's name for itself part of the `source` of its events. */
function name(session: Session, client: string): void {
  if (client === "") return;
  const { core } = session.engine;
  const source = placeText(core, implicitSource(client, session.number));
  core.exports.connectionSource(session.id, source.at, source.bytes);
}

function welcome(session: Session, secret: string, resumed: boolean, ref: Ref): void {
  const { core, options } = session.engine;
  const value = create(WelcomeSchema, {
    ...refField(ref),
    host: options.hostId,
    session: secret,
    resumed,
    epoch: BigInt(core.epoch),
    limits: create(LimitsSchema, {
      frameBytes: BigInt(limits.frameBytes),
      eventBytes: BigInt(limits.eventBytes),
      publishEvents: limits.publishEvents,
      joins: options.joins,
    }),
    ...(resumed ? { published: BigInt(core.exports.connectionPublished(session.id)) } : {}),
  });
  session.answer(create(HostFrameSchema, { kind: { case: "welcome", value } }));
}

/** Nobody who asks without a `ref` waits for an answer: what comes then are transitions. */
function observe(session: Session, { contract, stop }: Observe, ref: Ref): void {
  if (stop) session.observing?.remove(contract);
  else {
    session.observing ??= new Observing(session);
    session.observing.add(contract);
  }
  if (ref !== undefined) tellRegion(session, contract, session.engine.regions.state(contract), ref);
}

function tellRegion(session: Session, contract: string, state: RegionState, ref: Ref): void {
  session.answer(regionFrame(contract, state, ref));
}

/** All that a frame changes: one condition is set or added to, not both. */
function changesOf({ values, add }: SetFrame): (readonly [string, ConditionChange])[] {
  const both = Object.keys(add).find((name) => Object.hasOwn(values, name));
  if (both !== undefined)
    throw new SluiceError("contradiction", `Cannot set "${both.slice(0, 128)}" and add to it at once`, {
      value: both.slice(0, 128),
    });
  const added = Object.entries(add).map(([name, amount]) => [name, { add: amount }] as const);
  return [...Object.entries(values).map(setOf), ...added];
}

/** A value as it is written; of a whole number beyond 2^53 what a number can say. */
function setOf([name, { kind }]: [string, Value]): readonly [string, ConditionChange] {
  if (kind.case === undefined)
    throw new SluiceError("invalid_value", `Cannot set "${name.slice(0, 128)}" without a value`, { value: name });
  return [name, { value: kind.case === "integer" ? Number(kind.value) : kind.value }];
}

function update(session: Session, frame: Update): void {
  if (frame.member >= MEMBER_PATTERN_MIN) {
    // Patterns are for sinks.
    if (frame.outbox !== undefined) throw noSource("update.outbox");
    session.engine.patterns.update(session, frame);
  } else if (frame.outbox !== undefined) {
    applyOutbox(session, frame.member, frame.outbox, "update.outbox.");
  }
}

function setInbox(session: Session, frame: Inbox, path: string): void {
  applyInbox(session, inboxFromFrame(ownInbox(session), frame, `${path}.`));
}
