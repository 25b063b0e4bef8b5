/**
 * Many producers, one doorbell. Run it with
 * `deno run --allow-ffi tutorials/17_many_producers/step.ts`; the prose is in README.md beside it.
 *
 * @module
 */

import { mpsc, spsc, text } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import { MirroredRing } from "../10_four_rings/ring4_mirrored.ts";
import { makeMemory } from "../10_four_rings/ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf } from "../10_four_rings/rings.ts";
import { film } from "../13_doorbell/film.ts";
import { explore, Machine } from "../13_doorbell/machine.ts";
import { table } from "../picture.ts";
import {
  fail,
  look,
  picture,
  predict,
  run,
  runAsync,
  say,
  step,
  tell,
  tidyUp,
} from "../narrator.ts";
import { Lanes, type ReadOne } from "./lanes.ts";
import {
  clearsThenLooks,
  LANE_WORDS,
  looksThenClears,
  producer,
  RING_WORDS,
  rival,
} from "./parties.ts";

const page = pageSize();
const target = new Uint8Array(page);
const encoder = new TextEncoder();

async function main(name: string): Promise<void> {
  twoInOneRing(name);
  aLaneForEach();
  takeTheHint();
  takeTurns();
  theShippedOne(name);
  await comeAndGo(name);
  say(
    `That is \`src/lane/fan_in.ts\` and \`src/mpsc/mpsc.ts\`. To see what a death does to hints, and
    to the next producer:`,
  );
}

function twoInOneRing(name: string): void {
  step("Two producers in one ring");
  say(
    `Several processes send to one. For example, they all log to one file. Can they not share one
    ring? A producer looks where the head is, writes there, and moves the head.`,
  );
  predict("Producer A sends 65, and producer B sends 66. What can be in the ring afterwards?");
  const both = [rival("producer A", 65), rival("producer B", 66)];
  const machine = new Machine(both, RING_WORDS);
  const events = [0, 1, 0, 1, 0, 1].map((index) => machine.step(index));
  film(events, both.map((party) => party.name));
  say(
    `One message, and both producers believe that it is theirs. Two processes stored \`head\`, which
    breaks the rule of tutorial 10. The library prevents that:`,
  );
  const ring = run("ring", () => spsc(name, { capacity: page }));
  const first = tidyUp(run("first", () => ring.producer()));
  fail(() => ring.producer());
  first.close();
  say(
    `Producers could reserve places with a single atomic operation. But then a producer that is
    stopped between its reservation and its message blocks all messages behind it, and one that is
    killed there blocks them for ever.`,
  );
}

function aLaneForEach(): void {
  step("A lane for each");
  say(
    `So every producer gets a ring of its own, a lane. Within a lane nothing changes, and producers
    never meet. Only the consumer has more to do: it looks at every lane. Here are 32 lanes and one
    busy producer, which sends 1000 messages, one at a time.`,
  );
  predict("How often does the consumer look at the head of a lane?");
  const lanes = new Lanes(32);
  look(() => passOn(lanes, 5, 1000, lanes.readFirst));
  look(() => lanes.laneLooks);
  say("Almost all looks are at empty lanes. With one lane there would be 2000.");
}

/** Sends messages through a lane one at a time, reads until it is empty, and returns their number.
 */
function passOn(lanes: Lanes, lane: number, count: number, read: ReadOne): number {
  let received = 0;
  for (let i = 0; i < count; i++) {
    lanes.write(lane, messageOf(i));
    while (read(target) === lane) {
      if (isMessage(target, MESSAGE_BYTES, received)) received++;
    }
  }
  return received;
}

function takeTheHint(): void {
  step("Take the hint");
  say(
    `All share one word with a bit for each lane. A producer sets its bit after each message, unless
    it is set. The consumer looks at the word, and then only at the lanes whose bits are set. It
    clears a bit when it has emptied the lane, and sleeps while no bit is set.`,
  );
  picture(sourceOf(looksThenClears));
  predict("One lane, two messages. Is there an order in which the consumer misses one?");
  const wrong = explore([looksThenClears, producer()], LANE_WORDS);
  film(wrong.lost!, ["consumer", "producer"]);
  say(
    `The second message arrived after the look, and its hint before the clearing. So the consumer
    cleared a hint that it had not followed. This is the lost wake-up again, and the remedy is the
    same: first clear, then look.`,
  );
  picture(sourceOf(clearsThenLooks));
  run("result", () => explore([clearsThenLooks, producer()], LANE_WORDS));
  say(`Now the hint of an empty lane may remain, which costs one look. Again 32 lanes:`);
  const lanes = new Lanes(32);
  look(() => passOn(lanes, 5, 1000, lanes.readNext));
  const all = new Lanes(32);
  passOn(all, 5, 1000, all.readFirst);
  picture(table([
    ["", "looks at lanes", "looks at the hint"],
    ["every lane", all.laneLooks, all.hintLooks],
    ["by hints", lanes.laneLooks, lanes.hintLooks],
    ["floor: it knows the lane", 1000, 0],
  ]));
}

/** What a consumer does. */
function sourceOf({ code }: typeof looksThenClears): string {
  return `${code}`.replaceAll("\n  ", "\n").replace(/\)\s*=>\s*\{/, ") => {");
}

function takeTurns(): void {
  step("Take turns");
  say(
    `Producer 0 never stops: whenever its lane has room, it writes. Producers 1 and 2 have three
    messages each. One consumer begins at lane 0 each time, and another continues behind the lane
    that it served last.`,
  );
  predict("In which order does each of the two consumers serve the lanes?");
  look(() => orderOf((lanes) => lanes.readFirst));
  look(() => orderOf((lanes) => lanes.readNext));
  say(
    `As long as producer 0 keeps writing, the first consumer never serves lanes 1 and 2. With turns,
    a lane waits for at most one turn of each other lane. (In the library a turn is several
    messages, because it is cheaper to stay in a lane for a moment.)`,
  );
}

/** Which lanes are served, one after the other, while lane 0 is always full. */
function orderOf(reader: (lanes: Lanes) => ReadOne): string {
  const lanes = new Lanes(3);
  for (const lane of [1, 2]) {
    for (let i = 0; i < 3; i++) lanes.write(lane, messageOf(i));
  }
  const read = reader(lanes);
  let order = "";
  while (order.length < 30) {
    while (lanes.write(0, messageOf(0)));
    order += read(target);
  }
  return order;
}

function theShippedOne(name: string): void {
  step("The ring in the library");
  const options = { producers: 3, capacity: page, type: text() };
  const ring = run("ring", () => mpsc(name, options));
  const consumer = tidyUp(run("consumer", () => ring.consumer()));
  const loud = tidyUp(run("loud", () => ring.producer({ id: 0 })));
  const calm = tidyUp(run("calm", () => ring.producer({ id: 2 })));
  predict("The loud one sends until its lane is full. Can the calm one still send?");
  let sent = 0;
  look(() => {
    while (loud.trySend(`loud ${sent}`)) {
      sent++;
    }
  });
  look(() => sent);
  look(() => {
    for (let i = 0; i < 40; i++) {
      calm.sendSync(`calm ${i}`);
    }
  });
  say(
    `Yes: a full lane stops only its own producer. Each message names its producer. Now we receive
    them all, and count how many in a row have the same producer:`,
  );
  const turns: [producer: number, messages: number][] = [];
  look(() => {
    for (let got = consumer.tryReceive(); got !== undefined; got = consumer.tryReceive()) {
      if (turns.at(-1)?.[0] !== got.producer) turns.push([got.producer, 0]);
      turns.at(-1)![1]++;
    }
  });
  picture(table([["producer", "messages"], ...turns]));
  say(
    `The lanes take turns, as long as both have messages. And all share one bell, the bell of
    tutorial 13: the consumer sleeps on one word for all producers. A producer stores its head, then
    its hint, and then it rings.`,
  );
  look(() => calm.trySend("one more"));
  look(() => consumer.receiveSync());
  for (const end of [calm, loud, consumer]) end.close();
}

async function comeAndGo(name: string): Promise<void> {
  step("Producers come and go");
  const ring = mpsc(name, { producers: 1, capacity: page, type: text() });
  const consumer = tidyUp(ring.consumer());
  say(`A ring for one producer at a time. Ann sends, and closes before the consumer has read her
    message.`);
  const ann = tidyUp(run("ann", () => ring.producer({ id: 0 })));
  look(() => ann.trySend("thirty coins"));
  look(() => {
    ann.close();
  });
  predict("Ben wants the lane right now. May he have it?");
  fail(() => ring.producer({ id: 0 }));
  say(
    `Ann's message must not look as if it came from Ben. So a lane gets a new producer only when the
    consumer has emptied it. Each producer of a lane has a number, its generation. \`nextProducer\`
    waits until the lane is empty.`,
  );
  look(() => consumer.tryReceive());
  const ben = tidyUp(await runAsync("ben", () => ring.nextProducer({ id: 0 })));
  look(() => ben.trySend("five coins"));
  look(() => consumer.tryReceive());
  for (const end of [ben, consumer]) end.close();
}

/** What a death does to a hint, and to a lane that is passed on too soon. */
function breakIt(): void {
  step("A message without a hint");
  say(`A producer stores its head, and then sets its hint. It may be killed in between.`);
  predict("First clear, then look: that was right. Is it still right if a producer may die?");
  const parties = [clearsThenLooks, producer({ mayDie: true })];
  const machine = new Machine(parties, LANE_WORDS);
  film([machine.step(0), machine.step(1), machine.kill(1)], ["consumer", "producer"]);
  say(
    `The lane has a message, the consumer sleeps, and no bit will ever be set. So hints are only
    hints. They save looks; the truth is in the heads. The consumer of the library looks at every
    lane before each sleep, after each 250 ms of it, and now and then while it is busy.`,
  );
  const lanes = new Lanes(8);
  look(() => lanes.write(3, messageOf(0)));
  look(() => {
    lanes.hint.store(0); // as if it had died before that
  });
  look(() => lanes.readNext(target));
  look(() => lanes.readFirst(target));

  step("A lane that is passed on too soon");
  say(
    `A death also leaves messages in a lane. Ann sends thirty coins, and is killed. Ben takes her
    lane at once. A word beside the lane names its owner.`,
  );
  const ring = new MirroredRing(makeMemory());
  let owner = "Ann";
  look(() => ring.write(encoder.encode("thirty coins")));
  look(() => {
    owner = "Ben";
  });
  look(() => ring.write(encoder.encode("five coins")));
  predict("The consumer reads both. Whose messages are they?");
  const read = () => {
    const length = ring.read(target)!;
    return `${new TextDecoder().decode(target.subarray(0, length))} from ${owner}`;
  };
  look(() => read());
  look(() => read());
  say(
    `No process wrote anything wrong. But the owner changed while the lane held a message. In the
    library, a producer takes a lane only while it holds the role of that lane, and only if the lane
    is empty. It increases the generation before it sends its first message.`,
  );
}

tell({
  folder: "17_many_producers",
  title: "Tutorial 17: many producers, one doorbell",
  name: "tutorial-17",
  main: { steps: 6, tell: main },
  break: { steps: 2, tell: breakIt },
});
