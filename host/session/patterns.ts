/**
 * Subscriptions to patterns: a session that is a sink of every channel whose name matches, those to come included.
 *
 * What follows a channel is a member like any other, so matching, filters, inboxes, `explain` and counters know nothing of
 * patterns. The pattern itself has a number of the host's own, which stands for all of its members: `update` and `leave` take it.
 * A channel that comes into being is joined before anything else is done with it, so its first event finds the sink there.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { MEMBER_PATTERN_MIN, ROLE_SINK, STATUS_MEMBER_UNKNOWN, STATUS_OK } from "../../core-wasm/abi.ts";
import type { ChannelView } from "../channel/channel.ts";
import { assertPattern, matcherOf } from "../channel/pattern.ts";
import { PatternIndex } from "../channel/pattern-index.ts";
import { isTrap, placeScratch } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError, sluiceErrorFrom } from "../errors.ts";
import {
  type HostFrame,
  HostFrameSchema,
  type Join,
  JoinedSchema,
  type Update,
  UpdateSchema,
} from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import type { Engine } from "./engine.ts";
import { type Ref, refField } from "./frames.ts";
import { admit, changeMember, createUpdater, type JoinOutcome, type JoinRequest } from "./join.ts";
import { Memberships, type PatternMembership } from "./memberships.ts";
import type { Session } from "./session.ts";
import { LINGERING, OPEN } from "./state.ts";

/** One subscription. */
interface Subscription extends PatternMembership {
  readonly session: Session;
  /** How channels are joined from now on; its attributes are those of the last update. */
  request: JoinRequest;
}

/** All subscriptions to patterns of one host. */
export class Patterns {
  readonly #engine: Engine;
  readonly #byPattern = new PatternIndex<Subscription>();
  #last = MEMBER_PATTERN_MIN - 1;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** How many there are. */
  get count(): number {
    return this.#byPattern.count;
  }

  /**
   * Subscribes to a pattern, and answers: `joined` for it, then one for each channel that matches.
   *
   * @param path Of the join in the input, for errors.
   * @throws {SluiceError} `invalid_value` for what is no pattern, a source, or a position; `limit_reached`; and what joining
   *   one of the channels can be refused for. Nothing has happened then.
   */
  join(session: Session, request: JoinRequest, ref: Ref, path: string): JoinOutcome {
    const { frame, role } = request;
    const pattern = frame.channel;
    assertPattern(pattern);
    assertSink(pattern, role, frame, path);
    session.memberships ??= new Memberships(ROLE_SINK);
    this.#assertRoom(session.memberships, pattern);
    const subscription = { member: this.#nextMember(), pattern, members: new Set<number>(), session, request };
    this.#assertAttributes(session, subscription.member, frame.attributes);
    const matches = matcherOf(pattern);
    const channels = this.#engine.channels.list().filter(({ name }) => matches.test(name));
    if (channels.length > limits.patternChannels) throw tooManyChannels(pattern, channels.length);
    const frames: HostFrame[] = [];
    let recovered: boolean | undefined;
    try {
      for (const channel of channels) {
        const outcome = admit(session, channel, request, undefined, subscription);
        frames.push(outcome.joined);
        if (outcome.recovered !== undefined) recovered = (recovered ?? true) && outcome.recovered;
      }
    } catch (error) {
      if (!isTrap(error)) this.#removeMembers(subscription);
      throw error;
    }
    session.memberships.patterns.set(subscription.member, subscription);
    this.#byPattern.add(pattern, subscription);
    session.answer(this.#joinedFrame(subscription, ref, recovered));
    for (const one of frames) session.answer(one);
    return { member: subscription.member, recovered, admission: undefined };
  }

  /** Ends a subscription and all of its memberships. @throws {SluiceError} `member_unknown`. */
  leave(session: Session, member: number): void {
    const subscription = this.#of(session, member);
    this.#byPattern.delete(subscription.pattern, subscription);
    session.memberships?.patterns.delete(member);
    this.#removeMembers(subscription);
  }

  /**
   * Changes live attributes of all members, and of those to come. One that was changed by itself may have no room for more: it
   * keeps what it had, the others change.
   *
   * @throws {SluiceError} `member_unknown`, `attributes_too_many`, `attributes_too_large`.
   */
  update(session: Session, update: Update): void {
    const subscription = this.#of(session, update.member);
    const { request } = subscription;
    const attributes = { ...request.frame.attributes };
    for (const name of update.remove) delete attributes[name];
    Object.assign(attributes, update.attributes);
    this.#assertAttributes(session, update.member, attributes);
    subscription.request = { ...request, frame: { ...request.frame, attributes } };
    const change = createUpdater(session, this.#engine.core, update);
    this.#forEach(subscription, change);
  }

  /**
   * Changes how all channels are followed, as joining a channel again does in an inbox that is polled.
   *
   * @throws {SluiceError} `member_unknown`, and as {@link join}.
   */
  change(session: Session, member: number, request: JoinRequest): void {
    const subscription = this.#of(session, member);
    const before = subscription.request.frame;
    assertSink(subscription.pattern, request.role, request.frame, "");
    this.#assertAttributes(session, member, request.frame.attributes);
    subscription.request = request;
    this.#forEach(subscription, (one) => changeMember(session, one, before, request));
  }

  /**
   * A channel has come into being: whoever has subscribed to a pattern of its name becomes a member, in the order of the
   * subscriptions. One for whom there is no room is told, and the others go on.
   *
   * @throws A trap of the core.
   */
  follow(channel: ChannelView): void {
    const found = this.#byPattern.matching(channel.name);
    if (found.length === 0) return;
    for (const subscription of found.sort((one, other) => one.member - other.member)) {
      const { session, request } = subscription;
      // One that lingers comes back, and is told then.
      if (session.state !== OPEN && session.state !== LINGERING) continue;
      try {
        const channels = subscription.members.size + 1;
        if (channels > limits.patternChannels) throw tooManyChannels(subscription.pattern, channels);
        session.answer(admit(session, channel, request, undefined, subscription).joined);
      } catch (error) {
        if (isTrap(error)) throw error;
        this.#missed(subscription, channel, sluiceErrorFrom(error));
      }
    }
    this.#engine.flusher.schedule();
  }

  /** A session is over: its subscriptions end with it. */
  forget(session: Session): void {
    for (const subscription of session.memberships?.patterns.values() ?? [])
      this.#byPattern.delete(subscription.pattern, subscription as Subscription);
    session.memberships?.patterns.clear();
  }

  #of(session: Session, member: number): Subscription {
    const found = session.memberships?.patterns.get(member);
    if (found !== undefined) return found as Subscription;
    throw new SluiceError("member_unknown", `This session has no member m${member}`, { value: `m${member}` });
  }

  #removeMembers({ session, members }: Subscription): void {
    const { core } = this.#engine;
    // The newest first: the core finds them at the head of its list.
    const numbers = Uint32Array.from([...members].reverse());
    for (const member of numbers) session.memberships?.delete(member);
    const at = placeScratch(core, new Uint8Array(numbers.buffer));
    const status = core.exports.membersRemove(session.id, at, numbers.length);
    if (status !== STATUS_OK) throw errorFromStatus(status, 0, 0);
  }

  /** Does something with every member; what one cannot do is told once all others have. */
  #forEach({ members }: Subscription, work: (member: number) => void): void {
    let refusal: unknown;
    for (const member of [...members]) {
      try {
        work(member);
      } catch (error) {
        if (isTrap(error)) throw error;
        refusal ??= error;
      }
    }
    if (refusal !== undefined) throw refusal;
  }

  #missed({ session, pattern, member }: Subscription, channel: ChannelView, error: SluiceError): void {
    this.#engine.counters.patternsMissed++;
    const told = new SluiceError(
      error.code,
      `The pattern "${pattern}" (m${member}) does not follow channel "${channel.name}": ${error.message}`,
      { value: channel.name, limit: error.limit },
    );
    this.#engine.log.warn("pattern does not follow a channel", { pattern, channel: channel.name, error });
    session.problem(told, undefined);
  }

  /** Numbers of subscriptions that ended rest for 2^31 others. */
  #nextMember(): number {
    this.#last = this.#last === 0xffff_ffff ? MEMBER_PATTERN_MIN : this.#last + 1;
    return this.#last;
  }

  #assertRoom({ patterns }: Memberships, pattern: string): void {
    const { patterns: perSession, hostPatterns } = limits;
    const [count, limit, who] =
      patterns.size >= perSession
        ? [patterns.size, perSession, "session"]
        : [this.#byPattern.count, hostPatterns, "host"];
    if (count < limit) return;
    throw new SluiceError(
      "limit_reached",
      `Cannot subscribe to "${pattern}", this ${who} has ${count} patterns, limit is ${limit}`,
      { value: count, limit },
    );
  }

  /** The core checks an update before it looks for the member, which it has none of that number. */
  #assertAttributes(session: Session, member: number, attributes: Join["attributes"]): void {
    const { core } = this.#engine;
    const count = Object.keys(attributes).length;
    if (count === 0) return;
    const bytes = toBinary(UpdateSchema, create(UpdateSchema, { attributes }));
    if (count > limits.attributes) {
      throw new SluiceError("attributes_too_many", `${count} attributes are too many, limit is ${limits.attributes}`, {
        value: count,
        limit: limits.attributes,
      });
    }
    if (bytes.length > limits.memberAttributesBytes) {
      const limit = limits.memberAttributesBytes;
      throw new SluiceError(
        "attributes_too_large",
        `Attributes of ${bytes.length} bytes are too large, limit is ${limit}`,
        { value: bytes.length, limit },
      );
    }
    const update = toBinary(UpdateSchema, create(UpdateSchema, { member, attributes }));
    const now = this.#engine.clocks.service.now();
    const status = core.exports.memberUpdate(session.id, placeScratch(core, update), update.length, now);
    if (status !== STATUS_OK && status !== STATUS_MEMBER_UNKNOWN) throw errorFromStatus(status, 0, 0);
  }

  #joinedFrame({ member, pattern }: Subscription, ref: Ref, recovered: boolean | undefined): HostFrame {
    const value = create(JoinedSchema, {
      ...refField(ref),
      member,
      channel: pattern,
      epoch: BigInt(this.#engine.core.epoch),
      ...(recovered === undefined ? {} : { recovered }),
    });
    return create(HostFrameSchema, { kind: { case: "joined", value } });
  }
}

/** What a pattern cannot be joined with. */
function assertSink(pattern: string, role: number, frame: Join, path: string): void {
  if (role !== ROLE_SINK) {
    throw new SluiceError(
      "invalid_value",
      `Cannot join the pattern "${pattern}" as ${frame.role}, a source publishes to a channel by its name`,
      { value: frame.role, limit: ["sink"] },
    );
  }
  if (frame.after !== undefined) {
    throw new SluiceError(
      "invalid_value",
      `Cannot take ${path}after with the pattern "${pattern}", a position is one in a single channel`,
      { value: `${path}after` },
    );
  }
}

function tooManyChannels(pattern: string, channels: number): SluiceError {
  const limit = limits.patternChannels;
  return new SluiceError(
    "limit_reached",
    `${channels} channels match the pattern "${pattern}", limit is ${limit} for one pattern`,
    { value: channels, limit },
  );
}
