// Two evaluators of CEL in JavaScript, each as fast as its documentation allows: parsed and planned once.
import { celEnv, plan, parse as read } from "@bufbuild/cel";
import { Environment } from "@marcbachmann/cel-js";

/** CEL says LIKE 'com.acme.%' by startsWith(). `type` is a word of cel-js, so the name there is `etype`. */
const PREDICATE = 'priority >= 3 && load < 0.8 && etype.startsWith("com.acme.")';

/**
 * Prepares both. What they get is a JavaScript object that holds the event's values: nothing is decoded while it is measured.
 *
 * @returns {Record<'cel-js' | 'bufbuild-cel', (event: { priority: number, load: number, type: string }) => () => boolean>} Given an event, what
 *   evaluates it once.
 */
export function rivals() {
  const environment = new Environment()
    .registerVariable("priority", "int")
    .registerVariable("load", "double")
    .registerVariable("etype", "string");
  const checked = environment.parse(PREDICATE);
  const planned = plan(celEnv(), read(PREDICATE));
  // An integer of CEL is a bigint in JavaScript; with numbers both are slower or alike.
  const valuesOf = (/** @type {{ priority: number, load: number, type: string }} */ { priority, load, type }) => ({
    priority: BigInt(priority),
    load,
    etype: type,
  });
  return {
    "cel-js": (event) => {
      const values = valuesOf(event);
      return () => checked(values) === true;
    },
    "bufbuild-cel": (event) => {
      const values = valuesOf(event);
      return () => planned(values) === true;
    },
  };
}
