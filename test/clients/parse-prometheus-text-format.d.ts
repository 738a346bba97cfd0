/** The package has no types of its own. */
declare module "parse-prometheus-text-format" {
  /** One entry per family: name, help, type in capitals, samples. */
  export default function parsePrometheusTextFormat(text: string): unknown;
}
