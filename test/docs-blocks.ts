/**
 * Command blocks of Markdown pages that tests execute: those under a comment `<!-- run … -->`.
 *
 * `<!-- run -->` must end with 0. `expect "re"`: what it prints must match, too. `until "re"`: it is interrupted once it
 * has printed that, and must end in order. `background, until "re"`: it goes on running until the page is done.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root, with a slash at the end. */
export const root: string = fileURLToPath(new URL("../", import.meta.url));

/** One marked block. */
export interface Block {
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  readonly background: boolean;
  readonly until: RegExp | undefined;
  readonly expect: RegExp | undefined;
}

const BLOCK = /^<!-- run(?<marks>.*?) -->\n```(?<language>\w+)\n(?<code>[\s\S]*?)^```$/gm;

/**
 * The marked blocks of a page, in their order.
 *
 * @param page Path below the root.
 * @throws {Error} for a mark without a block, so that a typo does not switch a check off.
 */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(`${root}${page}`, "utf8");
  const blocks = [...text.matchAll(BLOCK)].map(({ groups = {}, index }): Block => {
    const { marks = "", language = "", code = "" } = groups;
    return {
      line: text.slice(0, index).split("\n").length + 1,
      language,
      code,
      background: /\bbackground\b/.test(marks),
      until: pattern(marks, "until"),
      expect: pattern(marks, "expect"),
    };
  });
  const marks = text.match(/<!-- run/g)?.length ?? 0;
  if (marks !== blocks.length)
    throw new Error(`${page} has ${marks} marks "<!-- run" and ${blocks.length} blocks below them`);
  return blocks;
}

/** Reads `name "regular expression"`; a quote within is written \". */
function pattern(marks: string, name: string): RegExp | undefined {
  const found = new RegExp(`\\b${name} "((?:[^"\\\\]|\\\\.)*)"`).exec(marks);
  return found?.[1] === undefined ? undefined : new RegExp(found[1].replaceAll('\\"', '"'));
}
