/**
 * A registry of measured things with Prometheus text output (exposition format 0.0.4).
 *
 * Counters and gauges are read from callbacks when somebody asks, so nothing is counted twice and the path of an event
 * never touches this file. Runs on every runtime; prom-client does not run on workers.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */

/** Labels of one sample; names match [a-zA-Z_][a-zA-Z0-9_]*. */
export type MetricLabels = Readonly<Record<string, string>>;

/** One sample of a metric with labels. */
export interface MetricSample {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** Reads the present value, or one value per set of labels. A reader that throws is left out of the text. */
export type MetricReader = () => number | Iterable<MetricSample>;

/** Counts observations into buckets. */
export interface Histogram {
  /** Adds one observation, in the unit that the metric's name ends with. NaN is ignored. */
  observe(value: number): void;
}

/** The registry. Names are given without the prefix `sluice_`; a name is given once. */
export interface Metrics {
  /** Something that only grows while the process lives; its name ends in `_total`. */
  counter(name: string, help: string, read: MetricReader): void;
  /** Something that goes up and down. */
  gauge(name: string, help: string, read: MetricReader): void;
  /** @param bounds Upper bounds of the buckets, ascending; +Inf is added. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /**
   * A histogram that somebody else counts.
   *
   * @param read Counts by bucket, that of +Inf included, not added up; undefined: it is left out of the text.
   */
  histogramOf(
    name: string,
    help: string,
    bounds: readonly number[],
    read: () => { readonly counts: readonly number[]; readonly sum: number } | undefined,
  ): void;
  /** All metrics as Prometheus text, in the order of their registration. */
  text(): string;
}

/** Content type of {@link Metrics.text}. */
export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

const PREFIX = "sluice_";

/**
 * Makes an empty registry.
 *
 * @throws {TypeError} (from its methods) for a name that is not allowed or is taken, {@link RangeError} for bad bounds.
 */
export function createMetrics(): Metrics {
  const families = new Map<string, () => string[]>();

  const add = (kind: string, name: string, help: string, lines: (full: string) => string[]) => {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new TypeError(`Cannot register a metric named "${name}"`);
    if (families.has(name)) throw new TypeError(`Cannot register the metric "${name}" twice`);
    const full = PREFIX + name;
    const head = [`# HELP ${full} ${escapeHelp(help)}`, `# TYPE ${full} ${kind}`];
    families.set(name, () => {
      const samples = lines(full);
      return samples.length === 0 ? [] : [...head, ...samples];
    });
  };

  return Object.freeze({
    counter(name: string, help: string, read: MetricReader) {
      if (!name.endsWith("_total")) throw new TypeError(`Cannot register the counter "${name}" without _total`);
      add("counter", name, help, (full) => samplesFrom(full, read));
    },
    gauge(name: string, help: string, read: MetricReader) {
      add("gauge", name, help, (full) => samplesFrom(full, read));
    },
    histogram(name: string, help: string, bounds: readonly number[]) {
      const histogram = createHistogram(bounds);
      add("histogram", name, help, histogram.lines);
      return histogram;
    },
    histogramOf(
      name: string,
      help: string,
      bounds: readonly number[],
      read: () => { readonly counts: readonly number[]; readonly sum: number } | undefined,
    ) {
      assertBounds(bounds);
      add("histogram", name, help, (full) => {
        const counted = read();
        return counted === undefined ? [] : histogramLines(full, bounds, counted.counts, counted.sum);
      });
    },
    text: () => [...families.values()].flatMap((lines) => lines().map((line) => `${line}\n`)).join(""),
  });
}

function createHistogram(bounds: readonly number[]): Histogram & { lines: (full: string) => string[] } {
  assertBounds(bounds);
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    observe(value: number) {
      if (Number.isNaN(value)) return;
      const bucket = bounds.findIndex((bound) => value <= bound);
      const at = bucket < 0 ? bounds.length : bucket;
      counts[at] = (counts[at] as number) + 1;
      sum += value;
    },
    lines: (full: string) => histogramLines(full, bounds, counts, sum),
  };
}

function assertBounds(bounds: readonly number[]): void {
  bounds.forEach((bound, index) => {
    const before = index === 0 ? Number.NEGATIVE_INFINITY : (bounds[index - 1] as number);
    if (!(Number.isFinite(bound) && bound > before))
      throw new RangeError(`Cannot use the bound ${bound} after ${before}`);
  });
}

/** @param counts By bucket, that of +Inf included. */
function histogramLines(full: string, bounds: readonly number[], counts: ArrayLike<number>, sum: number): string[] {
  let total = 0;
  const buckets = Array.from(counts, (count, index) => {
    total += count;
    const le = index < bounds.length ? numberText(bounds[index] as number) : "+Inf";
    return `${full}_bucket{le="${le}"} ${total}`;
  });
  return [...buckets, `${full}_sum ${numberText(sum)}`, `${full}_count ${total}`];
}

function samplesFrom(full: string, read: MetricReader): string[] {
  try {
    const value = read();
    if (typeof value === "number") return [`${full} ${numberText(value)}`];
    return Array.from(value, (sample) => `${full}${labelsText(sample.labels)} ${numberText(sample.value)}`);
  } catch {
    // One broken reader must not take away the metrics that would show why.
    return [];
  }
}

function labelsText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
