/**
 * Patterns of channel names, the same for templates and for subscriptions.
 *
 *   sensors.*        sensors.a, sensors.b      not sensors.a.b, not sensors
 *   user/>           user/1, user/1/inbox      not user, not user.1
 *   *.load           a.load, b.load
 *   >                every channel
 *
 * A name is of tokens between `.` and `/`, which stand for themselves. `*` is one token that is not empty, `>` at the end is
 * the rest, of one character at least, any other token is itself.
 */
import { z } from "zod";
import { type Checked, refuse } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import { checkChannelName } from "./definition.ts";

const TOKEN = /^(?:\*|[A-Za-z0-9_-]*)$/;
const PATTERN_RULE = "it must be a name with * for one token and > for the rest at its end; tokens end at . and /";

function isWellFormed(text: string): boolean {
  const tokens = text.split(/[./]/);
  const before = tokens.at(-1) === ">" ? tokens.slice(0, -1) : tokens;
  return text !== "" && before.every((token) => TOKEN.test(token));
}

/** The schema of a pattern; the name of a channel is one, too. */
export const patternSchema = z.string().check(checkPattern);

/** The schema of what a sink may join: a channel by its name, or channels by a pattern. */
export const joinable = z
  .string()
  .check((checked) => (isPattern(checked.value) ? checkPattern(checked) : checkChannelName(checked)));

function checkPattern(checked: Checked<string>): void {
  const limit = limits.channelNameBytes;
  if (checked.value.length > limit) return refuse(checked, "invalid_value", `limit is ${limit} characters`, { limit });
  if (!isWellFormed(checked.value)) refuse(checked, "invalid_value", PATTERN_RULE, { limit: PATTERN_RULE });
}

/** Whether a text means several channels: no name has one of these letters. */
export function isPattern(text: string): boolean {
  return text.includes("*") || text.includes(">");
}

/**
 * Checks a pattern.
 *
 * @throws {SluiceError} `invalid_value`.
 */
export function assertPattern(text: string): void {
  const limit = limits.channelNameBytes;
  const shown = JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
  if (text.length > limit) {
    throw new SluiceError("invalid_value", `A pattern of ${text.length} characters is too long, limit is ${limit}`, {
      value: text.length,
      limit,
    });
  }
  if (isWellFormed(text)) return;
  throw new SluiceError("invalid_value", `Cannot take the pattern ${shown}, ${PATTERN_RULE}`, {
    value: text,
    limit: PATTERN_RULE,
  });
}

/** One step of a pattern or name: a token with the separator before it, "" before the first. */
export interface Step {
  readonly separator: string;
  readonly token: string;
}

/** Takes a pattern or a name apart. */
export function stepsOf(text: string): Step[] {
  const parts = text.split(/([./])/);
  const steps: Step[] = [];
  for (let index = 0; index < parts.length; index += 2)
    steps.push({ separator: index === 0 ? "" : (parts[index - 1] as string), token: parts[index] as string });
  return steps;
}

/** An expression that matches the names that a pattern means; it takes one pass over a name. */
export function matcherOf(pattern: string): RegExp {
  // No two parts of the expression can match the same characters.
  const source = stepsOf(pattern).map(({ separator, token }) => {
    const text = { ">": "[^]+", "*": "[^./]+" }[token] ?? token.replaceAll("-", "\\-");
    return (separator === "." ? "\\." : separator) + text;
  });
  return new RegExp(`^${source.join("")}$`);
}

/** One character per token, so that comparing texts compares patterns: 0 is `>`, 1 is `*`, 2 is itself. */
export function rankOf(pattern: string): string {
  return stepsOf(pattern)
    .map(({ token }) => ({ ">": "0", "*": "1" })[token] ?? "2")
    .join("");
}
