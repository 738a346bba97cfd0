/**
 * The filters of a dry run, in their order. One that is a module cannot be asked from here: the dry run stops, and presents its
 * event as decideNext() presents a batch. The host asks in the module's place and answers; then the dry run begins anew, with
 * what it has been told so far. Everything happens within one turn of the host, so nothing changes between two attempts.
 */
import {
  DECIDE_RECORDS_OFFSET,
  DECIDE_WORDS_OFFSET,
  EXPLAINED_DECIDER,
  EXPLAINED_IN,
  EXPLAINED_NONE,
  STAGE_IN,
  STAGE_OUT,
  STATUS_DECISION,
  STATUS_OK,
} from "../abi";
import { Channel } from "../channel/channel";
import { Live } from "../channel/live";
import { Member } from "../channel/member";
import {
  ANSWER_FAILED,
  ANSWER_ITS_OWN,
  ANSWER_UNASKED,
  DECISION_ALL,
  DECISION_BITMAP,
  DECISION_NONE,
  EXPLAINED_DECIDER_FAILED,
  EXPLAINED_DECIDER_UNASKED,
} from "../filter/abi";
import { batchShow, eventIdentity } from "../filter/batch";
import { Filters, filtersIn, filtersOut, filtersSlots } from "../filter/bind";
import { Candidate, candidateAt, candidates } from "../filter/candidates";
import { Decider } from "../filter/decider";
import { STEP_IN, STEP_OUT, STEP_OWN_IN, STEP_OWN_OUT, STEPS } from "../filter/parked";
import { selectionBits, selectionCount, selectionFromCandidates } from "../filter/selection";
import { SLOT_BITS_BYTES, slotOf, slotWords } from "../filter/slots";
import {
  carriedBy,
  stageEnter,
  stagesMark,
  stagesNobody,
  stagesOwnOut,
  stagesOwnSinks,
  stepRun,
} from "../filter/stages";
import { VERDICT_WRONG, verdictRead } from "../filter/verdict";
import { resultStatus } from "../result";
import { stageOfStep } from "./way";

/** What was answered, in the order of the filters: u32 verdict, u32 ANSWER_…, and for DECISION_BITMAP whom it selects. */
const ANSWER_BYTES: u32 = 8 + SLOT_BITS_BYTES;
const answersAt: u32 = <u32>memory.data(4 * (8 + 512), 8);
if (STEPS * ANSWER_BYTES !== 4 * (8 + 512)) ERROR("answersAt has not room for an answer at every step");
let answers: u32 = 0;
/** How many of them this attempt has come across; the decider that it stopped at, 0: none. */
let met: u32 = 0;
let asked: u32 = 0;

/** Forgets what was answered, before another event or moment. */
export function answersForget(): void {
  answers = asked = 0;
}

/** Takes the answer for what explain() presented last, its words as decide() takes them. Returns a status. */
export function answerTake(words: u32, how: u32): u32 {
  if (asked === 0 || how > ANSWER_UNASKED) return resultStatus(STATUS_DECISION, DECISION_NONE, 0);
  const slots = filtersSlots(changetype<Channel>(changetype<Decider>(asked).channel));
  const verdict = how === ANSWER_UNASKED ? DECISION_ALL : verdictRead(0, 1, words, DECIDE_RECORDS_OFFSET, slots);
  if (verdict === VERDICT_WRONG) {
    const word = words === 0 ? DECISION_NONE : load<u32>(DECIDE_WORDS_OFFSET);
    return resultStatus(STATUS_DECISION, word, 0);
  }
  const answer = answersAt + answers++ * ANSWER_BYTES;
  store<u32>(answer, verdict);
  store<u32>(answer, how, 4);
  if (verdict === DECISION_BITMAP) memory.copy(answer + 8, selectionBits, slotWords(slots) * 4);
  asked = 0;
  return STATUS_OK;
}

/** Runs the filters over the candidates, none of which is selected yet. False: a decider has been presented with the event. */
export function explainWalk(channel: Channel, source: u32): bool {
  const filters = changetype<Filters>(channel.filters);
  const own = source === 0 ? 0 : changetype<Member>(source).live;
  met = asked = 0;
  stageEnter(STAGE_OUT);
  if (!pass(channel, STEP_OWN_OUT, own === 0 ? 0 : changetype<Live>(own).deciderOut, carriedBy(source, STAGE_OUT)))
    return asked === 0;
  if (!pass(channel, STEP_OUT, filters.deciderOut, filtersOut(channel))) return asked === 0;
  if (stagesNobody()) return true;
  stageEnter(STAGE_IN);
  if (!pass(channel, STEP_OWN_IN, own === 0 ? 0 : changetype<Live>(own).deciderIn, carriedBy(source, STAGE_IN)))
    return asked === 0;
  pass(channel, STEP_IN, filters.deciderIn, filtersIn(channel));
  return asked === 0;
}

/** One step: a decider, or routes. False where the event goes no further, or its decider must be asked. */
function pass(channel: Channel, step: u32, decider: u32, routes: u32): bool {
  const carried = step === STEP_OWN_OUT || step === STEP_OWN_IN;
  if (decider === 0) {
    stepRun(routes, carried);
    return true;
  }
  const slots = filtersSlots(channel);
  selectionFromCandidates(slots);
  const count = selectionCount(slots);
  if (step >= STEP_OWN_IN && count === 0 && stagesOwnSinks() === 0) return true;
  if (met < answers) return apply(answersAt + met++ * ANSWER_BYTES, step, carried);
  asked = decider;
  const words = count === channel.sinks ? 0 : slotWords(slots);
  batchShow(changetype<Decider>(decider), step, eventIdentity(channel, channel.sequence + 1), words, count);
  return false;
}

/** What an answer leaves of the candidates. False where nobody gets the event, whatever comes behind. */
function apply(answer: u32, step: u32, carried: bool): bool {
  const verdict = load<u32>(answer);
  const how = load<u32>(answer, 4);
  const reason = reasonOf(how) + (stageOfStep(step) === STAGE_IN ? EXPLAINED_IN : 0);
  stagesMark(carried);
  if (verdict === DECISION_ALL && how !== ANSWER_UNASKED) return true;
  for (let i: u32 = 0; i < candidates; i++) {
    const candidate = candidateAt(i);
    if (candidate.reason !== EXPLAINED_NONE) continue;
    if (verdict === DECISION_BITMAP && isChosen(answer + 8, candidate)) continue;
    candidate.reason = reason;
  }
  if (verdict === DECISION_BITMAP) return true;
  stagesOwnOut(reason);
  return false;
}

function reasonOf(how: u32): u32 {
  if (how === ANSWER_ITS_OWN) return EXPLAINED_DECIDER;
  return how === ANSWER_FAILED ? EXPLAINED_DECIDER_FAILED : EXPLAINED_DECIDER_UNASKED;
}

function isChosen(bits: u32, candidate: Candidate): bool {
  const slot = slotOf(changetype<Member>(candidate.member));
  return ((load<u32>(bits + (slot >> 5) * 4) >> (slot & 31)) & 1) !== 0;
}
