/**
 * Chapter 20 for the stage: waiting for any of many.
 *
 * @module
 */

import { domain, Listener, spsc, text, topic, type Waitable, waitAny } from "../../mod.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { FutexVector } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Step, Story } from "../stage/story.ts";
import { bellOf, BUSY, busy, DEPTH, robot } from "./actors.ts";
import { asleepOnMany, until } from "./herd.ts";
import { oneWordForAll } from "./limits.ts";

/** The story of chapter 20. */
export const story: Story = {
  cast: { busy, robot },
  steps: () => [...oneWordForAll(), aBellForEach(), theListener(), ofAnyKind(), {
    title: "Sleep through all others",
    text: `A bell for each source, one sleep on many bells, and a look after the bells are raised.
      That is \`src/babus/listener.ts\` and \`src/wait/any.ts\`.

      In the exercise you write the core of a listener, while messages arrive at any moment.`,
  }],
};

function aBellForEach(): Step {
  let calls = 0;
  let which = 0;
  return {
    title: "A bell for each",
    text:
      `So each slot gets a word of its own: the bell of chapter 13. A newer call, [[futex_waitv]],
      sleeps on up to 128 words at once. The listener wants slots 0 and 1. It raises their bells, finds
      nothing new, and sleeps on both. Then slot 2 gets a hundred messages.`,
    ask: {
      kind: "number",
      text: "How many system calls do the writers of slot 2 make?",
      unit: "calls",
      answer: () => calls,
      right: "The bell of slot 2 is down, so nobody waits there, and its writers call nobody.",
      often: [
        {
          number: 100,
          because: "A writer calls only if the bell of its slot is up, and this is down.",
        },
        {
          number: 1,
          because: "Even the first one makes no call: nobody has raised the bell of slot 2.",
        },
      ],
      otherwise: "A writer calls only if the bell of its slot is up. That of slot 2 is down.",
    },
    run: async (scene) => {
      using memory = Mapping.anonymous(pageSize(), "three bells");
      const bells = [0, 64, 128].map((offset) => new Doorbell(memory, { path: "bell", offset }));
      const list = new FutexVector();
      const values: number[][] = [[], [], []];
      const note = () => bells.forEach((bell, i) => values[i]!.push(bell.word.load()));
      scene.look(() => {
        for (const bell of bells.slice(0, 2)) {
          list.push(bell.word.address, bell.raise());
        }
      });
      const sleeping = list.wait(Infinity);
      await until(asleepOnMany);
      note();
      scene.look(() => {
        for (let i = 0; i < 100; i++) {
          bells[2]!.ring();
        }
      });
      note();
      calls = bells[2]!.word.load() >> 1;
      scene.look(() => {
        bells[1]!.ring();
      });
      which = await sleeping;
      note();
      list.close();
      scene.show(tablePicture("bells", "The bells", [
        ["slot", "asleep", "100 in slot 2", "one in slot 1"],
        ...values.map((row, slot) => [slot, ...row]),
      ]));
    },
    after: () =>
      `A bell grows by 1 when it is raised, and by 1 when it is rung. The kernel returns which one it
      was: number ${which}. Bell 0 stays up, which costs its next writer one call in vain.`,
  };
}

function theListener(): Step {
  let calls = 0;
  return {
    title: "A quiet slot among busy ones",
    text:
      `\`Listener\` does all of that. This process listens to one quiet slot. Another process, see
      its card, writes a hundred messages into each of ${BUSY} other slots, and then one into the quiet
      one. Our listener sleeps meanwhile.`,
    ask: {
      kind: "number",
      text: "How often does that process call the kernel to wake somebody?",
      unit: "times",
      answer: () => calls,
      right: "Once, for the message in the quiet slot. For 3,100 others it made no system call.",
      often: [
        { number: 3101, because: "The bells of the busy slots are down. Nobody listens to them." },
        {
          number: 0,
          because: "Our listener sleeps on the bell of the quiet slot, and that one rang.",
        },
      ],
      otherwise: "Only for the message in a slot whose bell is up.",
    },
    run: async (scene) => {
      const { name } = scene;
      using all = domain(name).open();
      const quiet = all.slot("quiet", { type: text(64), depth: DEPTH });
      using listener = scene.run("listener", () => new Listener().add(quiet));
      const waiting = listener.wait();
      scene.start("busy");
      const news = (await waiting).map((slot) => slot.name);
      scene.look(() => news);
      const names = [...Array.from({ length: BUSY }, (_, i) => `busy${i}`), "quiet"];
      const rings = names.map((each) => bellOf(name, each) >> 1);
      calls = rings.reduce((sum, count) => sum + count, 0);
      const rest = rings.slice(0, -1).reduce((sum, count) => sum + count, 0);
      scene.show(tablePicture("calls", "System calls of the writers", [
        ["slots", "messages", "calls"],
        [`${BUSY} busy ones`, BUSY * 100, rest],
        ["the quiet one", quiet.sequence, calls - rest],
      ]));
    },
  };
}

function ofAnyKind(): Step {
  return {
    title: "Slots, rings and topics",
    text:
      `Rings and topics have bells, too. So \`waitAny\` sleeps on all kinds together. Another process,
      the robot, sends one message into a topic, one into a slot, and one into a ring.

      Stop the robot by its card, if you like: then this wait takes as long as you do, up to 8
      seconds.`,
    ask: {
      kind: "choice",
      text: "What does `waitAny` return?",
      options: [
        {
          text: "The handle that is ready",
          right: true,
          because: "You then receive from it as usual. So one call fits all kinds.",
        },
        {
          text: "The message",
          because:
            "`waitAny` takes no message: it returns the handle, and you receive from it as " +
            "usual.",
        },
        {
          text: "All handles that are ready",
          because: "`waitAny` returns one handle. The others are still ready, and the next call " +
            "returns at once.",
        },
      ],
    },
    run: async (scene) => {
      const { name } = scene;
      using all = domain(`${name}-robot`, { speed: { type: text(64) } }).open();
      using listener = new Listener().add(all.slots.speed);
      using ring = spsc(name, { type: text() }).consumer();
      using frames = topic(name, { type: text(64) }).subscriber();
      const sources = [listener, ring, frames];
      const patience = { timeout: 8000 };
      function next() {
        return waitAny(sources, patience);
      }
      const kinds = new Map<Waitable, string>([
        [listener, "the listener"],
        [ring, "the ring"],
        [frames, "the topic"],
      ]);
      const received = (ready: unknown) =>
        ready === listener
          ? listener.look().map((slot) => `news in ${slot.name}`).join()
          : (ready === ring ? ring : frames).tryReceive()?.value;
      scene.start("robot");
      scene.code(next);
      const rows: string[][] = [];
      while (rows.length < 3) {
        const ready = await next();
        rows.push([kinds.get(ready!)!, `${received(ready)}`]);
      }
      scene.show(tablePicture("ready", "Which was ready, and what was there", [
        ["ready", "received"],
        ...rows,
      ]));
    },
  };
}
