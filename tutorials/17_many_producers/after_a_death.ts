/**
 * Chapter 17: a producer that dies between its message and its hint, and the next one in its lane.
 *
 * @module
 */

import { mpsc, text } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import { messageOf } from "../10_four_rings/rings.ts";
import { Machine } from "../13_doorbell/machine.ts";
import { deathsIn, tracksOf } from "../13_doorbell/tracks.ts";
import type { Step } from "../stage/story.ts";
import { Lanes } from "./lanes.ts";
import { clearsThenLooks, LANE_WORDS, producer } from "./parties.ts";

function ringOf(name: string) {
  return mpsc(`${name}-ann`, { producers: 1, capacity: pageSize(), type: text() });
}

/** Sends a message, and stays until it is killed. */
export function dieBeforeTheHint(name: string): Promise<void> {
  ringOf(name).producer({ id: 0 }).trySend("thirty coins");
  return new Promise(() => setInterval(() => {}, 60_000));
}

function errorOf(code: () => unknown): string {
  try {
    code();
  } catch (error) {
    return (error as Error).name;
  }
  return "no error";
}

/** The steps about deaths. */
export function hintsAreHints(): Step[] {
  return [{
    title: "A message without a hint",
    text:
      `A producer stores its head, and then sets its hint. Here it is killed in between. Afterwards we read
      twice: \`readNext\` follows the hints, and \`readFirst\` looks at every lane.`,
    ask: {
      kind: "choice",
      text: "First clear, then look: is that still right if a producer may die?",
      options: [
        {
          text: "No: the consumer sleeps, and no bit will ever be set",
          right: true,
          because: "Hints are only hints. The consumer of the library looks at every lane before " +
            "each sleep, and after each 250 ms of it.",
        },
        {
          text: "Yes: a dead producer has sent nothing",
          because: "The dead producer has sent one: the message is complete, and the head is " +
            "stored. Only the hint is missing.",
        },
        {
          text: "Yes: the kernel sets the bit",
          because: "The kernel knows nothing of bits. It only drops the locks of the dead.",
        },
      ],
    },
    run: (scene) => {
      const parties = [clearsThenLooks, producer({ mayDie: true })];
      const machine = new Machine(parties, LANE_WORDS);
      const events = [machine.step(0), machine.step(1), machine.kill(1)];
      scene.show(tracksOf(events, parties, {
        title: "A death between two stores",
        end: "The lane has a message, and the consumer sleeps.",
        deaths: deathsIn(events, parties),
      }));
      const target = new Uint8Array(pageSize());
      const lanes = new Lanes(8);
      scene.look(() => lanes.write(3, messageOf(0)));
      scene.look(() => {
        lanes.hint.store(0); // as if it had died before that
      });
      scene.look(() => lanes.readNext(target));
      scene.look(() => lanes.readFirst(target));
    },
  }, {
    title: "Producers come and go",
    text:
      `A ring with one lane. Ann sends, and closes before the consumer has read her message. Ben wants the
      lane at once. \`errorOf\` shows the name of an error.`,
    ask: {
      kind: "choice",
      text: "When may he have it?",
      options: [
        {
          text: "Once the consumer has read Ann's message",
          right: true,
          because: "Before that, her message would look as if it came from Ben.",
        },
        {
          text: "At once: Ann has closed",
          because: "Ann's message is still in the lane. It would look as if it came from Ben.",
        },
        {
          text: "Never: the lane was Ann's",
          because: "The lane was Ann's until she closed it. Now it only has to be empty.",
        },
      ],
    },
    run: (scene) => {
      const ring = ringOf(scene.name);
      using consumer = ring.consumer();
      const ann = ring.producer({ id: 0 });
      scene.look(() => {
        ann.trySend("ten coins");
        ann.close();
      });
      scene.look(() => errorOf(() => ring.producer({ id: 0 })));
      scene.look(() => consumer.tryReceive()?.value);
      scene.look(() => errorOf(() => ring.producer({ id: 0 }).close()));
    },
  }, {
    title: "A lane is passed on",
    text:
      `Now Ann is another process: see her card. She sends thirty coins, and is killed. \`nextProducer\`
      waits until the lane is empty and its producer is gone. Ben gets the lane by it, and sends five.`,
    ask: {
      kind: "choice",
      text: "What does the consumer receive?",
      options: [
        {
          text: "Thirty coins, and then five",
          right: true,
          because: "Ann's message is complete in shared memory, and the kernel has dropped her " +
            "role.",
        },
        {
          text: "Only Ben's five",
          because: "Ann's message is in shared memory. It does not die with her.",
        },
        {
          text: "Only Ann's thirty",
          because: "The kernel drops the role of the dead, so Ben gets the lane once it is empty.",
        },
      ],
    },
    run: async (scene) => {
      const ring = ringOf(scene.name);
      using consumer = ring.consumer();
      scene.start("ann");
      await scene.until(() => {
        using message = consumer.tryTake(); // not acknowledged, so it stays
        return message !== undefined;
      });
      scene.signal("ann", "SIGKILL");
      const received = await consumer.receive({ timeout: 5000 });
      scene.look(() => received?.value);
      using ben = await ring.nextProducer({ id: 0, timeout: 5000 });
      scene.look(() => ben.trySend("five coins"));
      scene.look(() => consumer.tryReceive()?.value);
    },
    after: `A message is not lost with its sender, and keeps the right name.`,
  }];
}
