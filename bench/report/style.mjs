// The look of the results page: one style sheet, inlined so that the page is one file and works offline.

export const style = `
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6b7b; --line: #dfe5ea; --paper: #fff; --card: #f6f8fa;
  --good: #0b7a55; --fair: #b26a00; --bad: #c0392b; --peer-other: #90a0ae;
  --peer-sluice: #0a6ed1; --peer-sluice-ws: #3f97e8; --peer-sluice-json: #86c0f5; --peer-sluice-sse: #b9dafa; --peer-nats: #2aa198; --peer-redis: #d35446;
  --peer-ws: #8a6bbe; --peer-relay: #78838d; --peer-mosquitto: #8f6f3e; --peer-aedes: #b58b4c;
  --peer-core: #0a6ed1; --peer-control: #e0a100; --peer-embedded: #0a6ed1; --peer-client: #3f97e8; --peer-baseline: #d35446; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa9b7; --line: #2d3843; --paper: #10161d; --card: #18202a;
  --good: #3fc18f; --fair: #e3a64a; --bad: #ef7a6d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 32px 24px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 44px 0 6px; } p { margin: 4px 0 14px; max-width: 80ch; }
.soft, .unit, .note { color: var(--soft); } .unit, .note { font-size: 12px; font-weight: 400; } tspan.note { fill: var(--soft); font-size: 11px; }
.cards { display: flex; gap: 12px; flex-wrap: wrap; margin: 20px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; min-width: 130px; }
.card b { display: block; font-size: 24px; line-height: 1.2; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } .scroll { overflow-x: auto; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: middle; } td.number, th.number { text-align: right; white-space: nowrap; }
.verdict { font-weight: 600; white-space: nowrap; } .verdict.aim, .verdict.floor { color: var(--good); } .verdict.missed { color: var(--bad); }
.verdict.not { color: var(--soft); font-weight: 400; }
.bullet .track { fill: var(--line); } .bullet .bar.aim { fill: var(--good); } .bullet .bar.floor { fill: var(--fair); } .bullet .bar.missed { fill: var(--bad); }
.floor-mark { stroke: var(--ink); stroke-width: 2; } .aim-mark { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 2 2; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(490px, 1fr)); gap: 18px 32px; }
figure { margin: 0; min-width: 0; } figure svg { max-width: 100%; height: auto; } figcaption { font-weight: 600; margin-bottom: 6px; }
svg text { font: 13px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--ink); } svg .label { text-anchor: end; }
svg .range { stroke: var(--ink); stroke-width: 1.5; opacity: .55; }
svg .grid { stroke: var(--line); } svg .tick { font-size: 11px; fill: var(--soft); }
code { font-size: 13px; } @media (max-width: 560px) { .charts { grid-template-columns: 1fr; } }
`;
