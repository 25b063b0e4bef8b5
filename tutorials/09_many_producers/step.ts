/**
 * Many producers, one doorbell. Run it with
 * `deno run --allow-ffi tutorials/09_many_producers/step.ts`; the prose is in README.md beside it.
 *
 * @module
 */

import { mpsc, spsc, text } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import { MirroredRing } from "../07_four_rings/ring4_mirrored.ts";
import { makeMemory } from "../07_four_rings/ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf } from "../07_four_rings/rings.ts";
import { film } from "../08_doorbell/film.ts";
import { explore, Machine } from "../08_doorbell/machine.ts";
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
    `That is \`src/lane/fan_in.ts\` and \`src/mpsc/mpsc.ts\`. To see what a death does to hints,
    and to the next producer:`,
  );
}

function twoInOneRing(name: string): void {
  step("Two producers in one ring");
  say(
    `Several processes send to one. For example, they all log to one file. Can they not just
    use one ring? A producer looks where the head is, writes there, and moves the head.`,
  );
  predict("Two producers, 65 and 66, each with one message. What can be in the ring afterwards?");
  const both = [rival("producer A", 65), rival("producer B", 66)];
  const machine = new Machine(both, RING_WORDS);
  const events = [0, 1, 0, 1, 0, 1].map((index) => machine.step(index));
  film(events, both.map((party) => party.name));
  say(
    `One message, and two producers that both believe it is theirs. Two processes stored \`head\`,
    which breaks the rule of tutorial 7. The library does not let it happen:`,
  );
  const ring = run("ring", () => spsc(name, { capacity: page }));
  const first = tidyUp(run("first", () => ring.producer()));
  fail(() => ring.producer());
  first.close();
  say(
    `Producers could reserve places with a single atomic operation. But then a producer that is
    stopped between its reservation and its message stops all the others behind it, and one that is
    killed there stops them for ever.`,
  );
}

function aLaneForEach(): void {
  step("A lane for each");
  say(
    `So every producer gets a ring of its own, a lane. Within a lane nothing changes, and producers
    never meet. Only the consumer has more to do: it looks at every lane. Here are 32, and one
    busy producer. It sends 1000 messages, one at a time.`,
  );
  predict("How often does the consumer look at the head of a lane?");
  const lanes = new Lanes(32);
  look(() => passOn(lanes, 5, 1000, lanes.readFirst));
  look(() => lanes.laneLooks);
  say("Almost all of the looks are at empty lanes. With one lane it would be 2000.");
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
    `A word that all share, with a bit for each lane. A producer sets its bit after each message,
    unless it is set. The consumer looks at the word, and then only at the lanes whose bits are set.
    It clears a bit when it has emptied the lane, and sleeps while no bit is set.`,
  );
  picture(sourceOf(looksThenClears));
  predict("One lane, two messages. Is there an order in which the consumer misses one?");
  const wrong = explore([looksThenClears, producer()], LANE_WORDS);
  film(wrong.lost!, ["consumer", "producer"]);
  say(
    `The second message came after the look, and its hint before the clearing. The consumer has
    cleared a hint that it has not followed. It is the lost wake-up once more, with the same remedy:
    first clear, then look.`,
  );
  picture(sourceOf(clearsThenLooks));
  run("result", () => explore([clearsThenLooks, producer()], LANE_WORDS));
  say(`Now a hint may be left of a lane that is empty, and that costs one look. Again 32 lanes:`);
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
    messages each. The consumer can look from lane 0 on each time, or continue behind the lane that
    it served last.`,
  );
  predict("Which lanes does each of the two serve, and in which order?");
  look(() => orderOf((lanes) => lanes.readFirst));
  look(() => orderOf((lanes) => lanes.readNext));
  say(
    `As long as producer 0 keeps writing, the first one never gets to 1 and 2. With turns, a lane
    waits for at most one turn of each of the others. (The library gives turns of several messages:
    it is cheaper to stay in a lane for a moment.)`,
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
  step("The one in the library");
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
    `A full lane stops its own producer, and no other. Each message names its producer. Now all of
    them, and how many came from the same producer in a row:`,
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
    `They take turns, as long as both lanes have messages. And there is one bell for all, the one of
    tutorial 8: the consumer sleeps on one word for all producers. A producer stores its head, then
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
  say(`A ring for one producer at a time. Ann sends, and leaves before anybody has read it.`);
  const ann = tidyUp(run("ann", () => ring.producer({ id: 0 })));
  look(() => ann.trySend("thirty coins"));
  look(() => {
    ann.close();
  });
  predict("Ben wants the lane, right now. May he have it?");
  fail(() => ring.producer({ id: 0 }));
  say(
    `Ann's message must not look as if it came from Ben. So a lane gets a new producer only when it
    has been read to its end, and each time it gets a number, its generation. \`nextProducer\` waits
    for that.`,
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
  say(`A producer stores its head, and then its hint. It may be killed in between.`);
  predict("First clear, then look: that was right. Is it still, if a producer may die?");
  const parties = [clearsThenLooks, producer({ mayDie: true })];
  const machine = new Machine(parties, LANE_WORDS);
  film([machine.step(0), machine.step(1), machine.kill(1)], ["consumer", "producer"]);
  say(
    `The lane has a message, the consumer sleeps, and no bit is set, now or later. So hints are only
    hints. They save looks; the truth is in the heads. Before each sleep, after each 250 ms of it,
    and every so often in between, the consumer of the library looks at every lane.`,
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
    `A death also leaves a lane with messages in it. Ann sends thirty coins, and is killed. Ben
    takes her lane at once. A word beside the lane names its owner.`,
  );
  const ring = new MirroredRing(makeMemory());
  let owner = "Ann";
  look(() => ring.write(encoder.encode("thirty coins")));
  look(() => {
    owner = "Ben";
  });
  look(() => ring.write(encoder.encode("five coins")));
  predict("The consumer reads the two. From whom are they?");
  const read = () => {
    const length = ring.read(target)!;
    return `${new TextDecoder().decode(target.subarray(0, length))} from ${owner}`;
  };
  look(() => read());
  look(() => read());
  say(
    `No process wrote anything wrong. But the owner changed while the lane had a message. In the
    library, only a process that holds the role of a lane takes it, and only if it is empty. Then it
    increases the generation, and then it sends its first message.`,
  );
}

tell({
  folder: "09_many_producers",
  title: "Tutorial 9: many producers, one doorbell",
  name: "tutorial-9",
  main: { steps: 6, tell: main },
  break: { steps: 2, tell: breakIt },
});
