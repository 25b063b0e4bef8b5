/**
 * The scenes of the swarm, one for each product.
 *
 * @module
 */

import {
  calls,
  circular,
  domain,
  lock,
  mpsc,
  regions,
  rwLock,
  sharedMemory,
  spsc,
  topic,
  waitAnySync,
} from "../../../mod.ts";
import { now } from "../../../src/os/clock.ts?real";
import { MANY } from "../../../src/wait/ready_set.ts";
import { cellsOfChannels, channelsOf, unlinkAll } from "../pieces/channels.ts";
import {
  defineScene,
  LIVES,
  mayFail,
  message,
  numberOf,
  parse,
  type Player,
  type Scene,
  WAIT,
  Way,
} from "./scene.ts";

type Named = Pick<Player, "name">;

const KEPT = { persist: true };
const PRODUCERS = 3;

/** Sends numbered messages through a ring of messages, in every way, until it is killed. */
function send(
  player: Player,
  open: () => ReturnType<ReturnType<typeof spsc>["producer"]>,
  way: Way,
): void {
  const { seat, life, random } = player;
  let k = 0;
  mayFail(() => {
    using producer = open();
    const next = (ahead = 1) => message(seat, numberOf(life + 1, k + ahead), random.below(300));
    const note = (amount: number) => {
      if (amount === 0) return;
      k += amount;
      way.sent(life + 1, k);
      player.count("sent", amount);
    };
    for (;;) {
      const act = random.below(4);
      if (producer.free < 400) player.rest();
      if (act === 0) note(Number(producer.trySend(next())));
      else if (act === 1) mayFail(() => (producer.sendSync(next(), WAIT), note(1)));
      else if (act === 2) note(producer.trySendBatch([1, 2, 3, 4].map(next)));
      else {
        const bytes = next();
        using claim = producer.tryClaim(bytes.length);
        if (claim === undefined) continue;
        claim.bytes.set(bytes);
        claim.publish(bytes.length);
        note(1);
      }
    }
  });
}

/** Receives and acknowledges in every way, until it is killed. */
function receive(
  player: Player,
  open: () => ReturnType<ReturnType<typeof spsc>["consumer"]>,
  wayOf: (seat: number) => Way,
): void {
  mayFail(() => {
    using consumer = open();
    const take = (bytes: Uint8Array, redelivered: boolean) => {
      const found = parse(bytes);
      if (found === undefined) {
        return player.complain(`a message of ${bytes.length} bytes is wrong`);
      }
      if (wayOf(found.seat).received(found.number, redelivered)) player.count("received");
    };
    for (;;) {
      const act = player.random.below(4);
      if (act === 0) {
        mayFail(() => {
          using one = consumer.takeSync(WAIT);
          if (one === undefined) return;
          take(one.bytes, one.redelivered);
          one.ack();
        });
      } else if (act === 1) {
        using batch = consumer.tryTakeBatch({ limit: 8 });
        if (batch === undefined) {
          player.rest();
          continue;
        }
        for (const one of batch) take(one.value, one.redelivered);
        batch.ack();
      } else if (act === 2) consumer.poll((one) => take(one.bytes, one.redelivered), 20);
      else {
        using one = consumer.tryTake();
        if (one === undefined) continue;
        take(one.bytes, one.redelivered);
        one.ack();
      }
    }
  });
}

function wayOf({ cells, complain }: Player, seat: number): Way {
  const sure = cells.sure!.slice(seat * LIVES, (seat + 1) * LIVES);
  const seen = cells.seen!.slice(seat * LIVES, (seat + 1) * LIVES);
  return new Way({ sure, seen }, (text) => complain(`sender ${seat}: ${text}`));
}

const ringOf = (run: Named) => spsc(run.name("ring"), { ...KEPT, capacity: 8192 });
const lanesOf = (run: Named) => mpsc(run.name("ring"), { ...KEPT, capacity: 4096, producers: 4 });

/** What the harness sends itself while nobody lives: its number is below all others. */
const PROBE_SEAT = 0xffff;
const PROBE = message(PROBE_SEAT, numberOf(0, 1), 8);

/** Drains a ring, and sees that a new message passes. */
function drained(
  player: Player,
  openProducer: () => { trySend(value: Uint8Array): boolean } & Disposable,
  open: () => ReturnType<ReturnType<typeof spsc>["consumer"]>,
): void {
  using consumer = open();
  const take = (bytes: Uint8Array, redelivered: boolean) => {
    const found = parse(bytes);
    if (found === undefined) return player.complain("a message that was left is wrong");
    if (wayOf(player, found.seat).received(found.number, redelivered)) player.count("received");
  };
  while (consumer.poll((one) => take(one.bytes, one.redelivered)) > 0);
  using producer = openProducer();
  if (!producer.trySend(PROBE)) player.complain("an empty ring takes no message");
  if (consumer.tryReceive()?.value.length !== PROBE.length) {
    player.complain("a new message does not arrive");
  }
}

const RING_CELLS = { sent: 1, received: 1 };

const rings = defineScene({
  cells: { ...RING_CELLS, sure: LIVES, seen: LIVES },
  seats: [
    (p) => send(p, () => ringOf(p).producer(), wayOf(p, 0)),
    (p) => receive(p, () => ringOf(p).consumer({ onPeerGone: "wait" }), (seat) => wayOf(p, seat)),
  ],
  steps: ["head", "tail", "copy", "wake", "lock"],
  alone(p) {
    drained(
      p,
      () => ringOf(p).producer(),
      () => ringOf(p).consumer({ onPeerGone: "wait" }) as never,
    );
    wayOf(p, 0).check();
  },
  unlink: (p) => void ringOf(p).unlink(),
});

const lanes = defineScene({
  cells: { ...RING_CELLS, sure: PRODUCERS * LIVES, seen: PRODUCERS * LIVES },
  seats: [
    ...Array.from(
      { length: PRODUCERS },
      () => (p: Player) => send(p, () => lanesOf(p).producer() as never, wayOf(p, p.seat)),
    ),
    (p) =>
      receive(
        p,
        () => lanesOf(p).consumer({ onPeerGone: "wait" }) as never,
        (seat) => wayOf(p, seat),
      ),
  ],
  steps: ["head", "tail", "copy", "wake", "lock"],
  alone(p) {
    drained(
      p,
      () => lanesOf(p).producer(),
      () => lanesOf(p).consumer({ onPeerGone: "wait" }) as never,
    );
    for (let seat = 0; seat < PRODUCERS; seat++) wayOf(p, seat).check();
  },
  unlink: (p) => void lanesOf(p).unlink(),
});

/** Follows numbered messages of which some may be lost: each gap must be told. */
class Following {
  readonly #player: Player;
  #sequence: number | undefined;
  #number = 0;

  constructor(player: Player) {
    this.#player = player;
  }

  take(bytes: Uint8Array, sequence: number, lost: number, mayLose: boolean): void {
    const { complain, count } = this.#player;
    const found = parse(bytes);
    if (found === undefined) return complain(`message ${sequence} has wrong bytes`);
    if (this.#sequence !== undefined) {
      if (sequence <= this.#sequence) complain(`${sequence} came after ${this.#sequence}`);
      const gap = sequence - this.#sequence - 1;
      if (gap !== lost) complain(`${gap} are missing before ${sequence}, and ${lost} were told`);
      if (lost > 0 && !mayLose) complain(`${lost} were lost before ${sequence}`);
      const isProbe = found.seat === PROBE_SEAT; // of the harness, between two lives of the writer
      if (!isProbe && found.number <= this.#number) {
        complain(`${found.number} came after ${this.#number}`);
      }
    }
    this.#sequence = sequence;
    this.#number = Math.max(this.#number, found.number);
    count("received");
  }
}

function scans(policy: "block" | "dropOldest"): Scene {
  const topicOf = (run: Named) =>
    topic(run.name("topic"), { ...KEPT, policy, depth: 4, size: 512, subscribers: 4 });
  const publish = (p: Player) =>
    mayFail(() => {
      using publisher = topicOf(p).publisher();
      let k = 0;
      const next = () => message(p.seat, numberOf(p.life + 1, ++k), p.random.below(300));
      for (;;) {
        if (p.random.chance(0.5)) {
          if (publisher.trySend(next())) p.count("sent");
        } else {
          mayFail(() => {
            const bytes = next();
            using loan = publisher.loanSync({ ...WAIT, length: bytes.length });
            loan.bytes.set(bytes);
            loan.publish(bytes.length);
            p.count("sent");
          });
        }
      }
    });
  const follow = (p: Player) =>
    mayFail(() => {
      using subscriber = topicOf(p).subscriber();
      const following = new Following(p);
      for (;;) {
        mayFail(() => {
          using sample = subscriber.takeSync(WAIT);
          if (sample === undefined) return;
          const { bytes, sequence, lost } = sample;
          following.take(bytes, sequence, lost, policy !== "block");
        });
      }
    });
  return defineScene({
    cells: RING_CELLS,
    seats: [publish, follow, follow, follow],
    steps: ["word", "exchange", "wake", "lock", "copy"],
    alone(p) {
      using publisher = topicOf(p).publisher();
      using stack = new DisposableStack();
      for (let i = 0; i < 3; i++) { // a publisher may have depth - 1 loans
        const loan = publisher.tryLoan({ length: 1 });
        if (loan === undefined) return p.complain(`only ${i} of 4 samples are free`);
        stack.use(loan);
      }
      stack.dispose();
      using subscriber = topicOf(p).subscriber({ history: 0 });
      publisher.trySend(PROBE);
      if (subscriber.tryReceive() === undefined) p.complain("a new sample does not arrive");
    },
    unlink: (p) => void topicOf(p).unlink(),
  });
}

const logOf = (run: Named) => circular(run.name("log"), { ...KEPT, capacity: 16_384 });

const logs = defineScene({
  cells: RING_CELLS,
  seats: [
    (p) =>
      mayFail(() => {
        using writer = logOf(p).writer();
        for (let k = 1;; k++) {
          writer.trySend(message(p.seat, numberOf(p.life + 1, k), p.random.below(300)));
          p.count("sent");
          if (p.random.chance(0.3)) p.rest();
        }
      }),
    ...[0, 1, 2].map((kind) => (p: Player) =>
      mayFail(() => {
        const following = new Following(p);
        using reader = kind === 2 ? logOf(p).observer() : logOf(p).reader({ onPeerGone: "wait" });
        for (;;) {
          mayFail(() => {
            const found = reader.receiveSync(WAIT);
            if (found !== undefined) {
              following.take(found.value, found.sequence, found.lost, true);
            }
          });
        }
      })
    ),
  ],
  steps: ["copy", "store", "wake"],
  alone(p) {
    using writer = logOf(p).writer();
    using reader = logOf(p).reader({ start: "now", onPeerGone: "wait" });
    using observer = logOf(p).observer({ start: "now" });
    if (!writer.trySend(PROBE)) p.complain("a new writer cannot write");
    for (const each of [reader, observer]) {
      const found = each.tryReceive();
      if (found?.value.length !== PROBE.length || parse(found.value) === undefined) {
        p.complain("a new message does not arrive");
      }
    }
  },
  unlink: (p) => void logOf(p).unlink(),
});

const slotsOf = (run: Named) => domain(run.name("robot"), { speed: { size: 400, depth: 4 } }, KEPT);

const slots = defineScene({
  cells: { ...RING_CELLS, newest: 1 },
  seats: [
    ...[0, 1].map(() => (p: Player) =>
      mayFail(() => {
        using body = slotsOf(p).open();
        for (let k = 1;; k++) {
          const bytes = message(p.seat, numberOf(p.life + 1, k), p.random.below(300));
          mayFail(() => (body.slots.speed.writeSync(bytes, WAIT), p.count("sent")));
          if (p.random.chance(0.5)) p.rest();
        }
      })
    ),
    ...[0, 1].map(() => (p: Player) =>
      mayFail(() => {
        using body = slotsOf(p).open();
        const { speed } = body.slots;
        let last = 0;
        for (;;) {
          const found = p.random.chance(0.5) ? speed.latest() : speed.at(speed.sequence);
          if (found === undefined) continue;
          if (parse(found.value) === undefined) p.complain(`message ${found.sequence} is torn`);
          if (found.sequence < last) p.complain(`${found.sequence} came after ${last}`);
          last = found.sequence;
          p.count("received");
          if (p.random.chance(0.2)) p.rest();
        }
      })
    ),
  ],
  steps: ["store", "copy", "lock", "wake"],
  alone(p) {
    using body = slotsOf(p).open();
    const bytes = message(p.seat, numberOf(p.life + 1, 1), 8);
    if (!body.slots.speed.tryWrite(bytes)) p.complain("a lock of the dead is held");
    const found = body.slots.speed.latest();
    if (found === undefined || parse(found.value) === undefined) p.complain("it reads another");
    const newest = p.cells.newest![0]!;
    if (found!.sequence <= newest.load()) p.complain("a number was used twice");
    newest.store(found!.sequence);
  },
  unlink: (p) => void slotsOf(p).unlink(),
});

const SUMS = { ...KEPT, capacity: 4096, clients: 4, servers: 2, retry: true };
const sumsOf = (run: Named) => calls(run.name("sums"), SUMS);
const answerTo = (bytes: Uint8Array) => bytes.map((byte, i) => byte ^ i & 255);

const sums = defineScene({
  cells: RING_CELLS,
  seats: [
    ...[0, 1].map(() => (p: Player) =>
      mayFail(() => {
        using server = sumsOf(p).server();
        for (;;) mayFail(() => void server.handleSync((bytes) => answerTo(bytes), WAIT));
      })
    ),
    ...[0, 1, 2].map(() => (p: Player) =>
      mayFail(() => {
        using client = sumsOf(p).client();
        for (let k = 1;; k++) {
          const request = message(p.seat, numberOf(p.life + 1, k), p.random.below(200));
          p.count("sent");
          mayFail(() => {
            const answer = client.callSync(request, WAIT);
            const wanted = answerTo(request);
            if (answer.length !== wanted.length || answer.some((byte, i) => byte !== wanted[i])) {
              p.complain(`the answer to request ${k} belongs to another`);
            }
            p.count("received");
          });
        }
      })
    ),
  ],
  mayRest: [0, 1], // one server may answer all
  steps: ["head", "tail", "wake", "lock", "copy"],
  alone(p) {
    using server = sumsOf(p).server();
    using client = sumsOf(p).client();
    if (server.peers < 1 || client.peers < 1) p.complain("a server and a client do not meet");
  },
  unlink: (p) => void sumsOf(p).unlink(),
});

const tableOf = (run: Named) => rwLock(run.name("table"), KEPT);
const doorOf = (run: Named) => lock(run.name("door"));

/** Changes two cells under a lock, which must be equal whenever nobody died between. */
function guard(p: Player, which: number, recovered: boolean): void {
  const [owner, a, b] = [p.cells.owner![which]!, p.cells.a![which]!, p.cells.b![which]!];
  const token = numberOf(p.life + 1, p.seat + 1);
  if (a.load() !== b.load() && !recovered) p.complain("a half-done change was not told");
  b.store(a.load());
  owner.store(token);
  a.add(1);
  b.add(1);
  if (owner.load() !== token) p.complain("two hold the lock");
  p.count("received");
}

const locks = defineScene({
  cells: { ...RING_CELLS, owner: 2, a: 2, b: 2 },
  seats: [0, 1, 2, 3, 4].map(() => (p: Player) =>
    mayFail(() => {
      using table = tableOf(p).open();
      using door = doorOf(p).open();
      for (;;) {
        p.count("sent");
        if (p.random.chance(0.3)) p.rest();
        mayFail(() => {
          if (p.random.chance(0.3)) {
            using permit = door.lockSync(WAIT);
            return guard(p, 0, permit.recovered);
          }
          if (p.random.chance(0.5)) {
            using permit = table.writeSync(WAIT);
            return guard(p, 1, permit.recovered);
          }
          using permit = table.readSync(WAIT);
          const [a, b] = [p.cells.a![1]!.load(), p.cells.b![1]!.load()];
          if (a !== b && !permit.recovered) {
            p.complain("a reader was not told of a half-done change");
          }
        });
      }
    })
  ),
  steps: ["lock", "semaphore", "wake", "exchange"],
  alone(p) {
    using table = tableOf(p).open();
    using door = doorOf(p).open();
    using write = table.tryWrite();
    using own = door.tryLock();
    if (write === undefined || own === undefined) p.complain("the dead hold a lock");
    if (write !== undefined) guard(p, 1, write.recovered);
    if (own !== undefined) guard(p, 0, own.recovered);
  },
  unlink(p) {
    tableOf(p).unlink();
    doorOf(p).unlink();
  },
});

const NAMES = ["a", "b"];
const memoryOf = (run: Named, name: string) => sharedMemory(run.name(name), { size: 4096 });

const names = defineScene({
  cells: RING_CELLS,
  seats: [0, 1, 2, 3].map(() => (p: Player) => {
    for (;;) {
      const name = p.random.pick(NAMES);
      mayFail(() => {
        using memory = memoryOf(p, name).open();
        p.count("sent");
        const words = memory.as(Uint32Array);
        const all = words[1]!;
        if (words[0] !== all) p.complain(`${name} is not whole: ${words[0]} ${all}`);
        if (memory.references < 1) p.complain(`${name} has no member, and this is one`);
        p.count("received");
      });
      if (p.random.chance(0.05)) memoryOf(p, name).unlink();
    }
  }),
  steps: ["link", "unlink", "lock", "open", "chmod"],
  alone(p) {
    for (const name of NAMES) memoryOf(p, name).open().close();
    const left = regions().filter((region) => region.name.startsWith(p.name("")));
    if (left.length > 0) p.complain(`${left.map(({ name }) => name)} stayed`);
  },
  unlink: (p) => NAMES.forEach((name) => memoryOf(p, name).unlink()),
});

/** As few channels as a wait keeps: opening them takes most of a life. */
const fewOf = (player: Player) => channelsOf(player, 0, "all kinds").slice(0, MANY);

/** Sends to one of the channels after the other, and goes on once the waiter has seen it. */
function sendToMany(p: Player): void {
  using stack = new DisposableStack();
  const channels = fewOf(p);
  const senders = channels.map((channel) => channel.sender(stack));
  for (;;) {
    for (let burst = p.random.small(4); burst > 0; burst--) p.random.pick(senders)();
    const end = now() + WAIT.timeout * 1e6;
    while (channels.some(({ news }) => news !== undefined) && now() < end) p.rest();
  }
}

/** Waits for any of the channels, and takes all that it has. */
function waitForMany(p: Player): void {
  using stack = new DisposableStack();
  const receivers = fewOf(p).map((channel) => channel.receiver(stack));
  const handles = receivers.map(({ handle }) => handle);
  for (;;) {
    mayFail(() => {
      const found = waitAnySync(handles, WAIT);
      receivers[handles.indexOf(found)]!.takeAll();
    });
  }
}

const many = defineScene({
  cells: cellsOfChannels(1),
  seats: [sendToMany, waitForMany],
  steps: ["hints", "groups", "loop", "wake", "bell"],
  alone: (p) => fewOf(p).forEach((channel) => channel.settle()),
  unlink: (p) => unlinkAll(fewOf(p as Player)),
});

/** All scenes by name. */
export const SCENES: Readonly<Record<string, Scene>> = {
  spsc: rings,
  mpsc: lanes,
  "topic-block": scans("block"),
  "topic-drop": scans("dropOldest"),
  circular: logs,
  slots,
  calls: sums,
  locks,
  many,
  names,
};
