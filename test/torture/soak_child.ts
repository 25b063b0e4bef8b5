/**
 * A process of the soak: it echoes or it asks, through every product, until its input ends. Once
 * an interval it prints a line with the latencies of its questions.
 *
 * @module
 */

import { byteRing, calls, domain, Listener, rwLock, spsc, topic } from "../../mod.ts";

const [role, run, every] = Deno.args as ["echo" | "ask", string, string];
const end = new AbortController();
const { signal } = end;

const name = (suffix: string) => `${run}-${suffix}`;
const there = spsc(name("there"), { type: "f64", capacity: 65_536 });
const back = spsc(name("back"), { type: "f64", capacity: 65_536 });
const frames = topic(name("frames"), { depth: 8, size: 65_536, subscribers: 4 });
const seen = topic(name("seen"), { type: "f64", depth: 8, subscribers: 4 });
const robot = domain(name("robot"), { ask: { type: "f64" }, answer: { type: "f64" } });
const sums = calls(name("sums"), { request: "f64", response: "f64", capacity: 65_536 });
const table = rwLock(name("table"));
const bytes = byteRing(name("bytes"), { capacity: 65_536 });

/** A wait that ends with the soak, and not before a peer has had its time. */
const WAIT = { signal, timeout: 60_000 };

/** The products, each as a question that another process answers. */
async function echo(): Promise<void> {
  using inbox = there.consumer({ onPeerGone: "wait" });
  using outbox = back.producer();
  using subscriber = frames.subscriber();
  using publisher = seen.publisher();
  using body = robot.open();
  using server = sums.server();
  using lock = table.open();
  using stream = bytes.consumer({ onPeerGone: "wait" });
  const answerSlots = async () => {
    using listener = new Listener().add(body.slots.ask);
    for await (const _ of listener.news({ until: signal })) {
      await body.slots.answer.write(body.slots.ask.latest()!.value, WAIT);
    }
  };
  const target = new Uint8Array(4096);
  const drain = async () => {
    while (!signal.aborted) if (await stream.read(target, WAIT) === 0) return;
  };
  const answerRings = async () => {
    for await (const value of inbox.values({ until: signal })) await outbox.send(value, WAIT);
  };
  const answerTopics = async () => {
    for await (const sample of subscriber.samples({ until: signal })) {
      await publisher.send(sample.bytes.length, WAIT);
    }
  };
  const holdLock = async () => {
    while (!signal.aborted) {
      using _permit = await lock.write(WAIT);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const serve = server.serve((value) => 2 * value, { until: signal });
  await Promise.all([answerRings(), answerTopics(), answerSlots(), serve, drain(), holdLock()]);
}

const times = new Map<string, number[]>();

/** Asks again and again, and takes the times. */
async function repeat(what: string, pauseMs: number, ask: () => Promise<unknown>): Promise<void> {
  const own: number[] = [];
  times.set(what, own);
  while (!signal.aborted) {
    const start = performance.now();
    await ask();
    own.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function ask(): Promise<void> {
  using outbox = there.producer();
  using inbox = back.consumer({ onPeerGone: "wait" });
  using publisher = frames.publisher();
  using subscriber = seen.subscriber();
  using body = robot.open();
  using client = sums.client({ onPeerGone: "wait" });
  using lock = table.open();
  using stream = bytes.producer();
  await Promise.all([
    publisher.waitForPeers(1, WAIT),
    sums.ready(WAIT),
    outbox.waitForPeers(1, WAIT),
  ]);
  const piece = new Uint8Array(1000);
  let value = 0;
  await Promise.all([
    repeat("ring", 1, async () => {
      await outbox.send(++value, WAIT);
      await inbox.receive(WAIT);
    }),
    repeat("topic of 64 KiB", 2, async () => {
      using loan = await publisher.loan(WAIT);
      loan.bytes.fill(value & 255);
      loan.publish();
      await subscriber.receive(WAIT);
    }),
    repeat("slot", 2, async () => {
      const number = Math.random();
      const answer = body.slots.answer.sequence;
      await body.slots.ask.write(number, WAIT);
      while (body.slots.answer.sequence === answer) await body.slots.answer.next(WAIT);
    }),
    repeat("call", 1, () => client.call(value, WAIT)),
    repeat("lock", 5, async () => {
      using _permit = await lock.read(WAIT);
    }),
    repeat("bytes", 1, () => stream.write(piece, WAIT)),
  ]);
}

/** Prints the quantiles of the times since the last line. */
function report(): void {
  const rows = [...times].map(([what, own]) => {
    const sorted = own.splice(0).sort((a, b) => a - b);
    const at = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return [what, { count: sorted.length, p50: at(0.5), p99: at(0.99), most: sorted.at(-1) }];
  });
  console.log(JSON.stringify(Object.fromEntries(rows)));
}

const timer = setInterval(report, Number(every));
const running = role === "echo" ? echo() : ask();
const stopped = (async () => {
  for await (const _ of Deno.stdin.readable);
  end.abort();
})();
try {
  await Promise.race([running, stopped]);
  await running;
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  clearInterval(timer);
}
