/** The table of reasons from host/session/reasons.ts. */
import { loadSource } from "./load-source.mjs";

/** @typedef {{ word: string }} Loss */
/** @typedef {{ stage: string, reason: string, meaning: string, explained?: number, loss?: Loss }} Reason */

/** @returns {Promise<string>} Markdown. */
export async function reasonsPart() {
  const { reasons } = /** @type {{ reasons: readonly Reason[] }} */ (await loadSource("host/session/reasons.ts"));
  const lines = ["| stage | reason | means | counted and told as |", "|---|---|---|---|"];
  for (const { stage, reason, meaning, loss } of reasons)
    lines.push(`| \`${stage}\` | \`${reason}\` | ${meaning} | ${loss === undefined ? "" : `\`${loss.word}\``} |`);
  return lines.join("\n");
}
