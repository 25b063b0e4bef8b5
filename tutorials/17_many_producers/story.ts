/**
 * Chapter 17 for the stage: many producers, one doorbell.
 *
 * @module
 */

import { mpsc, text } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import { messageOf } from "../10_four_rings/rings.ts";
import { explore, Machine } from "../13_doorbell/machine.ts";
import { deathsIn, sleepersAt, tracksOf } from "../13_doorbell/tracks.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { dieBeforeTheHint, hintsAreHints } from "./after_a_death.ts";
import { Lanes, type ReadOne } from "./lanes.ts";
import {
  clearsThenLooks,
  LANE_WORDS,
  looksThenClears,
  producer,
  RING_WORDS,
  rival,
} from "./parties.ts";

/** The story of chapter 17. */
export const story: Story = {
  cast: { ann: dieBeforeTheHint },
  steps: () => [...oneRing(), ...lanes(), ...hints(), turns(), shipped(), ...hintsAreHints(), {
    title: "Lanes, hints and one bell",
    text:
      `Each producer has a lane of its own. Hints save looks, and the truth is in the heads. All share one bell.
      That is \`src/lane/fan_in.ts\` and \`src/mpsc/mpsc.ts\`.

      In the exercise you write the consumer's choice: whose turn is it?

      A lane copies each message in and out, to one consumer. That is right for small ones. In chapter 18 one
      message is 6 MB, and many want it. There too, words say what is true, and hints say where to look.`,
  }],
};

function oneRing(): Step[] {
  const both = [rival("producer A", 65), rival("producer B", 66)];
  return [{
    title: "Two producers in one ring",
    text:
      `Several processes send to one: workers report, sensors measure. Can they not share one ring? Here is
      a ring as in chapter 10, with its first two places. The head is the number of messages in it. A producer
      looks at the head, writes behind the last message, and moves the head. A sends 65, and B sends 66.`,
    ask: {
      kind: "choice",
      text: "What is the worst that can be in the ring afterwards?",
      options: [
        {
          text: "One message only",
          right: true,
          because:
            "Both look before either moves the head, and write to one place. Both believe that the " +
            "message is theirs.",
        },
        {
          text: "Both, in the wrong order",
          because: "A wrong order is not the worst: both may write to one place, and then one " +
            "message is gone.",
        },
        {
          text: "Both, and a gap between them",
          because: "A gap is not the worst: both see the same head, so they write to one place.",
        },
      ],
    },
    run: (scene) => {
      const machine = new Machine(both, RING_WORDS);
      const events = [0, 1, 0, 1, 0, 1].map((index) => machine.step(index));
      scene.show(tracksOf(events, both, {
        title: "One order of many",
        end: "One message, and two producers that sent it.",
        deaths: deathsIn(events, both),
      }));
    },
    after:
      `Producers could reserve places with one atomic operation. But then a producer that is stopped in
      between blocks all messages behind it.`,
  }];
}

/** Sends messages through a lane one at a time, reads until it is empty, and counts them. */
function passOn(lanes: Lanes, lane: number, count: number, read: ReadOne): number {
  const target = new Uint8Array(pageSize());
  let received = 0;
  for (let i = 0; i < count; i++) {
    lanes.write(lane, messageOf(i));
    while (read(target) === lane) received++;
  }
  return received;
}

function lanes(): Step[] {
  let looks = 0;
  return [{
    title: "A lane for each",
    text:
      `So every producer gets a ring of its own, a [[lane]]. Within a lane nothing changes, and producers never
      meet. Only the consumer has more to do: it looks at every lane.

      Here are 32 lanes and one busy producer, in lane 5. It sends 1000 messages, and after each of them the
      consumer reads until it finds nothing. With one lane it would look 2000 times.`,
    ask: {
      kind: "number",
      text: "How often does it look at a lane here? Half or twice as often counts as right.",
      answer: () => looks,
      within: 2,
      right: "Almost all looks are at empty lanes.",
      often: [
        { number: 1000, because: "The consumer looks at empty lanes too, again and again." },
        {
          number: 2000,
          because: "With one lane it would be 2000. Here the consumer looks at all others in vain.",
        },
      ],
      otherwise:
        "For each message it looks at the lanes before the full one, and then at all of them.",
    },
    run: (scene) => {
      const lanes = new Lanes(32);
      scene.look(() => passOn(lanes, 5, 1000, lanes.readFirst));
      scene.look(() => lanes.laneLooks);
      looks = lanes.laneLooks;
    },
  }];
}

function hints(): Step[] {
  const showSource = (scene: Scene, { code }: typeof looksThenClears) => scene.code(code);
  return [{
    title: "A hint for each lane",
    text:
      `All share one word with a bit for each lane. A producer stores its head, and then sets its bit. The
      consumer sleeps while no bit is set, and looks only at the lanes whose bits are set.

      This is our first try, with one lane and two messages. It looks into the lane, and then clears the hint.
      It is done when it has seen the second message; otherwise it begins again.`,
    run: (scene) => showSource(scene, looksThenClears),
  }, {
    title: "Lose one",
    text: `A program tries all orders in which the two can act, as in chapter 13.`,
    ask: {
      kind: "choice",
      text: "When does the consumer miss the second message?",
      options: [
        {
          text: "If it comes between the look and the clearing",
          right: true,
          because:
            "The consumer clears a hint that it has not followed. This is the lost wake-up again.",
        },
        {
          text: "If it comes while the consumer sleeps",
          because:
            "A hint that comes while the consumer sleeps wakes it. The trouble is a moment " +
            "earlier.",
        },
        {
          text: "Never: each message sets the bit",
          because: "Each message sets the bit. But the consumer may clear it without another look.",
        },
      ],
    },
    run: (scene) => {
      const parties = [looksThenClears, producer()];
      const { lost } = explore(parties, LANE_WORDS);
      const end = sleepersAt(lost!, parties);
      const deaths = deathsIn(lost!, parties);
      const title = "The shortest of all orders that lose";
      scene.show(tracksOf(lost!, parties, { title, end, deaths }));
    },
  }, {
    title: "First clear, then look",
    text: `The remedy is the same as in chapter 13: clear the hint first, and look then.`,
    run: (scene) => {
      showSource(scene, clearsThenLooks);
      scene.run("result", () => explore([clearsThenLooks, producer()], LANE_WORDS));
      const byHints = new Lanes(32);
      passOn(byHints, 5, 1000, byHints.readNext);
      const all = new Lanes(32);
      passOn(all, 5, 1000, all.readFirst);
      scene.show(tablePicture("looks", "1000 messages in one of 32 lanes", [
        ["", "looks at lanes", "looks at the hints"],
        ["every lane", all.laneLooks, all.hintLooks],
        ["by hints", byHints.laneLooks, byHints.hintLooks],
        ["floor: it knows the lane", 1000, 0],
      ]));
    },
    after: `Now the hint of an empty lane may remain. That costs one look, and loses nothing.`,
  }];
}

/** Which lanes are served, one after the other, while lane 0 is always full. */
function orderOf(reader: (lanes: Lanes) => ReadOne): string {
  const target = new Uint8Array(pageSize());
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

function turns(): Step {
  return {
    title: "Take turns",
    text:
      `Producer 0 never stops: whenever its lane has room, it writes. Producers 1 and 2 have three messages
      each. One consumer begins at lane 0 each time. Another continues behind the lane that it served last.`,
    ask: {
      kind: "choice",
      text: "When does the first consumer serve lane 1?",
      options: [
        {
          text: "Never, while producer 0 writes",
          right: true,
          because: "The first consumer finds a message in lane 0 each time, and goes no further.",
        },
        {
          text: "After a lap of lane 0",
          because: "After a lap, producer 0 has filled its lane again.",
        },
        {
          text: "Every third time",
          because: "The other consumer does that: it takes turns.",
        },
      ],
    },
    run: (scene) => {
      scene.look(() => orderOf((lanes) => lanes.readFirst));
      scene.look(() => orderOf((lanes) => lanes.readNext));
    },
    after: `With turns, a lane waits for at most one turn of each other lane.`,
  };
}

function shipped(): Step {
  let sent = 0;
  return {
    title: "The ring in the library",
    text: `A ring for 3 producers. The loud one sends until its lane is full.`,
    ask: {
      kind: "choice",
      text: "Can the calm one still send?",
      options: [
        {
          text: "Yes",
          right: true,
          because: "A full lane stops only its own producer.",
        },
        {
          text: "No: the ring is full",
          because: "Only the lane of the loud one is full. Each producer has a lane of its own.",
        },
        {
          text: "Only if it takes turns with the loud one",
          because: "Producers never meet. The consumer takes turns between the lanes.",
        },
      ],
    },
    run: (scene) => {
      const options = { producers: 3, capacity: pageSize(), type: text() };
      const ring = mpsc(scene.name, options);
      using consumer = ring.consumer();
      using loud = ring.producer({ id: 0 });
      using calm = ring.producer({ id: 2 });
      scene.look(() => {
        while (loud.trySend(`loud ${sent}`)) {
          sent++;
        }
      });
      scene.look(() => {
        for (let i = 0; i < 40; i++) {
          calm.sendSync(`calm ${i}`);
        }
      });
      const turns: [producer: number, messages: number][] = [];
      for (let got = consumer.tryReceive(); got !== undefined; got = consumer.tryReceive()) {
        if (turns.at(-1)?.[0] !== got.producer) turns.push([got.producer, 0]);
        turns.at(-1)![1]++;
      }
      scene.show(tablePicture("turns", "Messages in a row of one producer", [
        ["producer", "messages"],
        ...turns.slice(0, 6),
      ]));
    },
    after: () =>
      `Of ${sent} loud messages none was lost. The lanes take turns while both have some, and all share one bell.`,
  };
}
