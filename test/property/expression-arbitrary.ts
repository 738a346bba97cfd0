/** Random expressions as text, and events to try them on: few names and values, so that they meet. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Event, EventSchema, type ValueSchema } from "../../host/gen/sluice/v1/event_pb.ts";

/** Texts that are words, numbers, nearly numbers, booleans, and characters of every length. */
const TEXTS = [
  "",
  " ",
  "a",
  "ab",
  "abc",
  "ABC",
  "eu",
  "com.acme.load",
  "true",
  "FALSE",
  "5",
  "-1",
  "+7",
  "007",
  "2147483648",
  "-9223372036854775808",
  "9223372036854775808",
  "0.5",
  "-.5",
  "5.",
  "1e3",
  "1e",
  "0x10",
  " 5",
  "é",
  "Straße",
  "ẞİıΣς",
  "ⱥȺ",
  "日本",
  "a😀b",
  "\u0085 x\u2003",
  "it's",
  'say "a"',
  "a\\b",
  "100%",
  "a_b",
];
const PATTERNS = [
  "%",
  "",
  "_",
  "a%",
  "%b",
  "%b%",
  "a_c",
  "__",
  "%a%b%",
  "\\%",
  "100\\%",
  "a\\_b",
  "com.%",
  "%😀_",
  "\\",
  "%%_",
];
const INTEGERS = [0n, 1n, 2n, 3n, 5n, 7n, 100n, 2147483647n, -1n, -5n, -2147483648n];
const LARGE = [2147483648n, 9007199254740993n, 9223372036854775807n, -9223372036854775808n];
/** None has more digits or a larger exponent than a cast from text is exact for. */
const NUMBERS = [0, -0, 0.5, 0.8, -1.25, 3, 1e3, 1e21, 1e-7, 123456.789, 4294967296.5, 1e22, -1e22];
const STRANGE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

const ATTRIBUTES = ["a", "b", "c", "load", "zone", "urgent", "subject", "priority", "id"];
const FIELDS = [
  "id",
  "source",
  "type",
  "subject",
  "time",
  "priority",
  "deliverby",
  "key",
  "datacontenttype",
  "specversion",
];
const FUNCTIONS = ["ABS", "BOOL", "INT", "LENGTH", "LOWER", "STRING", "TRIM", "UPPER"];

type ValueInit = MessageInitShape<typeof ValueSchema>;

/** What the pure language has no name for is left out of it. */
export interface ExpressionOptions {
  readonly extended: boolean;
}

function pick<Value>(values: readonly Value[]): fc.Arbitrary<Value> {
  return fc.constantFrom(...values);
}

/** A text constant, in either kind of quotes. */
function quoted(text: string): fc.Arbitrary<string> {
  return fc.boolean().map((double) => {
    const quote = double ? '"' : "'";
    return `${quote}${text.replaceAll(quote, `\\${quote}`)}${quote}`;
  });
}

/** Expressions that can be read. Every operator stands with and without parentheses around its operands. */
export function expressionArbitrary({ extended }: ExpressionOptions): fc.Arbitrary<string> {
  const name = fc.oneof(pick([...ATTRIBUTES, "nobody"]), pick(FIELDS));
  const sinkName = pick(["sink.load", "sink.zone", "SINK.Urgent", "sink.nobody"]);
  const anyName = extended ? fc.oneof({ arbitrary: name, weight: 3 }, { arbitrary: sinkName, weight: 1 }) : name;
  const text = fc.oneof(pick(TEXTS), fc.string({ unit: "binary", maxLength: 6 }));
  const constant = fc.oneof(
    pick(["TRUE", "false"]),
    pick(INTEGERS).map(String),
    text.chain((value) => (value.endsWith("\\") ? fc.constant("''") : quoted(value))),
    ...(extended ? [pick([...NUMBERS, 0.25].filter((value) => value >= 0)).map(literal), pick(LARGE).map(String)] : []),
  );
  const pattern = fc
    .oneof(pick(PATTERNS), pick(TEXTS))
    .filter((value) => !value.endsWith("\\"))
    .chain(quoted);
  const word = (...words: string[]): fc.Arbitrary<string> => pick(words);
  return fc.letrec<{ any: string; leaf: string; node: string; list: string[] }>((tie) => ({
    any: fc.oneof({ maxDepth: 4, withCrossShrink: true, depthSize: "small" }, tie("leaf"), tie("node")),
    leaf: fc.oneof(
      anyName,
      constant,
      anyName.map((one) => `EXISTS ${one}`),
      ...(extended ? [sinkName.map((one) => `age(${one})`)] : []),
    ),
    list: fc.array(tie("any"), { minLength: 1, maxLength: 3 }),
    node: fc.oneof(
      fc.tuple(word("=", "!=", "<>", "<", "<=", ">", ">="), tie("any"), tie("any")).map(infix),
      fc.tuple(word("=", "<", ">="), anyName, constant).map(infix),
      fc.tuple(word("+", "-", "*", "/", "%"), tie("any"), tie("any")).map(infix),
      fc.tuple(word("AND", "or", "XOR"), tie("any"), tie("any")).map(infix),
      fc.tuple(word("NOT ", "- "), tie("any")).map(([sign, one]) => `${sign}(${one})`),
      fc.tuple(word("LIKE", "NOT like"), tie("any"), pattern).map(([op, one, like]) => `(${one}) ${op} ${like}`),
      fc
        .tuple(word("IN", "NOT IN"), tie("any"), tie("list"))
        .map(([op, one, all]) => `(${one}) ${op} (${all.join(", ")})`),
      fc.tuple(pick(FUNCTIONS), tie("any")).map(([call, one]) => `${call}(${one})`),
      fc.tuple(word("CONCAT", "CONCAT_WS"), tie("list")).map(([call, all]) => `${call}(${all.join(", ")})`),
      fc
        .tuple(word("LEFT", "RIGHT", "SUBSTRING"), tie("any"), tie("any"))
        .map(([call, ...all]) => `${call}(${all.join(", ")})`),
      fc.tuple(tie("any"), tie("any"), tie("any")).map((all) => `SUBSTRING(${all.join(", ")})`),
      ...(extended
        ? [
            fc
              .tuple(word("BETWEEN", "NOT BETWEEN"), tie("any"), tie("any"), tie("any"))
              .map(([op, one, low, high]) => `(${one}) ${op} (${low}) AND (${high})`),
            fc.tuple(word("IS NULL", "IS NOT NULL"), tie("any")).map(([op, one]) => `(${one}) ${op}`),
          ]
        : [fc.constant("NOBODY(1)")]),
    ),
  })).any;
}

function infix([operator, left, right]: readonly [string, string, string]): string {
  return `(${left}) ${operator} (${right})`;
}

function literal(value: number): string {
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** An attribute. `pure`: of the types that the pure language has. */
function attributeValue(pure: boolean): fc.Arbitrary<ValueInit> {
  return fc.oneof(
    fc.boolean().map((value) => ({ kind: { case: "boolean" as const, value } })),
    pick(pure ? INTEGERS : [...INTEGERS, ...LARGE]).map((value) => ({ kind: { case: "integer" as const, value } })),
    pick(TEXTS).map((value) => ({ kind: { case: "text" as const, value } })),
    ...(pure ? [] : [pick([...NUMBERS, ...STRANGE]).map((value) => ({ kind: { case: "number" as const, value } }))]),
  );
}

/** Live attributes of a sink. */
export const sinkArbitrary: fc.Arbitrary<{ readonly [name: string]: ValueInit }> = fc.dictionary(
  pick(["load", "zone", "urgent"]),
  attributeValue(false),
  { maxKeys: 3, noNullPrototype: true },
);

/** Events that have some of the names that expressions ask for. */
export function askedEventArbitrary(pure: boolean): fc.Arbitrary<Event> {
  return fc
    .record(
      {
        id: pick(TEXTS),
        source: pick(["/web/1", "5", ""]),
        type: pick(TEXTS.filter((text) => text !== "")),
        subject: pick(TEXTS),
        timeUs: pick([0n, 1_524_746_889_000_000n, 1_700_000_000_000_001n, 253_402_300_799_999_999n]),
        priority: fc.integer({ min: 0, max: 9 }),
        deliverByUs: pick([5n, 1_700_000_000_250_000n]),
        key: pick(TEXTS),
        dataContentType: pick(["", "application/json"]),
        attributes: fc.dictionary(pick(ATTRIBUTES), attributeValue(pure), { maxKeys: 6, noNullPrototype: true }),
      },
      { requiredKeys: ["type", "attributes"] },
    )
    .map((init) => create(EventSchema, init));
}
