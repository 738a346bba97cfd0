/**
 * One JSON example for each kind of frame; a test holds them against the codec.
 *
 * @typedef {{ json: string }} Example
 */

/** @type {Readonly<Record<"ClientFrame" | "HostFrame", Readonly<Record<string, Example>>>>} */
export const examples = {
  ClientFrame: {
    publish: {
      json: '{"ref":2,"publish":{"channel":"orders","events":[{"type":"order.placed","key":"o-17","data":{"total":12.5}}]}}',
    },
    credit: { json: '{"credit":{"events":256,"bytes":1048576}}' },
    ack: { json: '{"ack":{"through":41}}' },
    update: { json: '{"update":{"member":"m3","attributes":{"load":0.42},"remove":["zone"]}}' },
    cancel: { json: '{"ref":9,"cancel":{"channel":"orders","key":"o-17","at":"2026-01-01T00:00:00Z"}}' },
    hello: { json: '{"hello":{"client":"shop"}}' },
    join: {
      json: '{"ref":1,"join":{"channel":"orders","role":"sink","attributes":{"zone":"eu"},"types":["order.placed"]}}',
    },
    leave: { json: '{"ref":3,"leave":{"member":"m3"}}' },
    inbox: { json: '{"ref":4,"inbox":{"capacityEvents":1000,"overflow":"drop-oldest"}}' },
    set: { json: '{"ref":5,"set":{"values":{"x":1},"add":{"requests":2}}}' },
    evaluate: { json: '{"ref":6,"evaluate":{"contract":"responsiveness"}}' },
    observe: { json: '{"ref":7,"observe":{"contract":"responsiveness"}}' },
    ping: { json: '{"ref":8,"ping":{}}' },
  },
  HostFrame: {
    deliver: {
      json: '{"deliver":{"events":[{"number":1,"channel":"orders","member":"m3","sequence":1,"epoch":5,"event":{"type":"order.placed","source":"/shop/2","time":"2026-01-01T00:00:00.000Z","data":{"total":12.5}}}]}}',
    },
    credit: { json: '{"credit":{"channel":"orders","events":4096,"bytes":2097152}}' },
    receipt: {
      json: '{"receipt":{"ref":2,"results":[{"id":"k3j2h1-5-1-1","sequence":1,"epoch":5,"sinks":1,"hosts":1}]}}',
    },
    dropped: { json: '{"dropped":{"channel":"orders","count":12,"reason":"overflow"}}' },
    missed: { json: '{"missed":{"channel":"orders","id":"o-17","by":12.5,"sequence":7,"reason":"waited"}}' },
    welcome: {
      json: '{"welcome":{"host":"k3j2h1","session":"…","resumed":false,"limits":{"frameBytes":1114112,"eventBytes":1048576,"publishEvents":4096,"joins":10000},"epoch":5}}',
    },
    joined: { json: '{"joined":{"ref":1,"member":"m3","channel":"orders","epoch":5}}' },
    left: { json: '{"left":{"member":"m3","reason":"left","ref":3}}' },
    problem: {
      json: '{"problem":{"ref":1,"code":"not_supported","title":"This version does not have the feature","detail":"…","value":"where"}}',
    },
    region: {
      json: '{"region":{"contract":"responsiveness","path":["degraded"],"handlers":["normal->degraded"]}}',
    },
    pong: { json: '{"pong":{"ref":8}}' },
    drain: { json: '{"drain":{"retryMs":1000}}' },
  },
};
