/**
 * Events, bits, and waiting for any of many. Run it with
 * `deno run --allow-ffi tutorials/20_any_of_many/step.ts`; the prose is in README.md beside it.
 *
 * @module
 */

import { domain, Listener, spsc, text, topic, type Waitable, waitAny } from "../../mod.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { copyIn } from "../../src/memory/word.ts";
import { FutexVector } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import { look, picture, predict, run, runAsync, say, step, tell, tidyUp } from "../narrator.ts";
import { asleepOnMany, until } from "./herd.ts";
import {
  bytesOf,
  closeAtEnd,
  entriesOf,
  lookInto,
  ownerOf,
  SHAPE,
  textOf,
  type TextSlot,
} from "./inside.ts";
import { bits, limits, lookThenNote, oneWord, wakeOne } from "./one_word.ts";
import { listenerProcess, writerProcess } from "./two_processes.ts";

const PATIENT = { spin: 0, timeout: 20_000 };

async function main(name: string): Promise<void> {
  await bits(await oneWord());
  await limits();
  await aBellForEach();
  await theListener(name);
  const speed = theSlot(name);
  killedWhileWriting(name, speed);
  await anyOfAnyKind(name, speed);
  say(
    `All of this was one program. Now take two, each in its own terminal: run the first line here
    and the second there, and kill the writer in the middle of a message.`,
  );
}

async function aBellForEach(): Promise<void> {
  step("A bell for each");
  say(
    `The other way: a word for each slot, each a bell as in tutorial 13, and one sleep on many words.
    That call is newer, futex_waitv of Linux 5.16. It takes a list of words, each with the value
    that it must have.`,
  );
  const memory = tidyUp(Mapping.anonymous(pageSize(), "three bells"));
  const bells = [0, 64, 128].map((offset) => new Doorbell(memory, { path: "bell", offset }));
  const list = new FutexVector();
  say("Three slots, and a listener to 0 and 1. First it raises their bells, then it looks:");
  look(() => {
    for (const bell of bells.slice(0, 2)) {
      list.push(bell.word.address, bell.raise());
    }
  });
  look(() => bells.map((bell) => bell.word.load()));
  say("Suppose it finds nothing new in either slot. So it sleeps, without a time limit.");
  const sleeping = list.wait(Infinity);
  await until(asleepOnMany);
  predict("Slot 2 gets a hundred messages. How many system calls do its writers make?");
  look(() => {
    for (let i = 0; i < 100; i++) {
      bells[2]!.ring();
    }
  });
  look(() => bells.map((bell) => bell.word.load()));
  say("None: no listener has raised the bell of slot 2.");
  say("Now slot 1:");
  look(() => {
    bells[1]!.ring();
  });
  await runAsync("which", () => sleeping);
  look(() => bells.map((bell) => bell.word.load()));
  list.close();
  say(
    `The call even returns which bell it was. A bell grows by 2 for each system call: by 1 when it
    is raised, and by 1 when it is rung. Bell 0 is still up, which will cost its writer one needless
    call. The order is that of tutorial 13: raise, look, sleep. An event between the look and the
    sleep changes its bell, and the kernel sees that it differs. \`--break\` uses the other order.`,
  );
}

async function theListener(name: string): Promise<void> {
  step("31 busy slots and a quiet one");
  say(
    `\`Listener\` does all that, in \`src/babus/listener.ts\`. A domain is a named group of slots,
    and each slot has its bell. Here 31 slots are busy, and the listener wants the 32nd.`,
  );
  const robot = run("robot", () => domain(name).open());
  closeAtEnd(robot);
  const busy = Array.from({ length: 31 }, (_, i) => robot.slot(`busy${i}`, SHAPE));
  const quiet = robot.slot("quiet", SHAPE);
  const bells = [...busy, quiet].map((slot) => lookInto(name, slot.name).bell.word);
  const calls = () => bells.reduce((sum, bell) => sum + (bell.load() >> 1), 0);
  const listener = tidyUp(run("listener", () => new Listener().add(quiet)));
  const waiting = listener.wait();
  await until(() => bells.at(-1)!.load() === 1);
  look(() => bells.map((bell) => bell.load()).join(" "));
  predict("Each busy slot gets a hundred messages. How many calls wake a listener?");
  look(() => {
    for (let i = 1; i <= 100; i++) {
      for (const slot of busy) {
        slot.writeSync(`message ${i}`);
      }
    }
  });
  look(() => calls());
  look(() => bells.map((bell) => bell.load()).join(" "));
  say(
    "None: 3,100 messages, and not one system call. Now one in the quiet slot:",
  );
  look(() => quiet.writeSync("hello"));
  await runAsync("news", () => waiting.then((slots) => slots.map((slot) => slot.name)));
  look(() => calls());
  listener.close();
  robot.close();
}

function theSlot(name: string): TextSlot {
  step("What is in a slot");
  say(
    `A slot keeps the newest message, and the last few before it. Writers do not wait for readers. A
    late reader has lost messages, and learns how many.`,
  );
  const robot = domain(name).open();
  closeAtEnd(robot);
  const options = SHAPE;
  const speed = run("speed", () => robot.slot("speed", options));
  const write = (last: number) => {
    while (speed.sequence < last) speed.writeSync(`speed is ${speed.sequence + 1}`);
  };
  look(() => {
    write(2);
  });
  look(() => speed.latest());
  look(() => speed.at(1));
  say("Now a reader that has seen message 2 is busy elsewhere for a while.");
  look(() => {
    write(7);
  });
  predict(
    "The slot keeps three. What does the reader get, and how does it learn how many it lost?",
  );
  run("news", () => speed.since(2));
  const words = lookInto(name, "speed");
  say("Message n is in entry n % 4. The slot has one more entry than it keeps messages:");
  picture(entriesOf(words));
  say(
    "You can also read a message in place, as in tutorial 19. But no writer waits for you:",
  );
  const peek = run("peek", () => speed.peek()!);
  look(() => textOf(peek.bytes));
  look(() => {
    write(10);
  });
  look(() => peek.valid);
  predict("After three more messages the bytes are still valid. And after a fourth?");
  look(() => {
    write(11);
  });
  look(() => peek.valid);
  look(() => textOf(peek.bytes));
  say(
    `These bytes are not a message: they are number 11, cut to the length of number 7. \`valid\`
    reads the stamp, which the writer sets to 0 before it changes the first byte. So read all that
    you want first, and then check. If \`valid\` is true then, the bytes that you read are right.`,
  );
  return speed;
}

function killedWhileWriting(name: string, speed: TextSlot): void {
  step("Killed while writing");
  say(
    `Any process may write, one at a time. A writer has a seat, a lock that the kernel releases when
    it dies. The owner word holds the seat of the current writer, plus 1, because 0 means nobody.
    Here is a writer by hand, with the steps of \`src/babus/write_lock.ts\`. It will die in the
    middle of a message.`,
  );
  const dying = lookInto(name, "speed");
  const owner = ownerOf(dying);
  const seat = tidyUp(run("seat", () => dying.region.tryHold(2)!));
  look(() => owner.compareExchange(0, 2 + 1));
  const number = run("number", () => dying.reserve(11));
  look(() => {
    copyIn(dying.region.mapping, dying.messageAt(number), bytesOf("SPEED"));
  });
  picture(entriesOf(dying));
  predict("The entry holds half a message. What do readers see, and may another writer write?");
  look(() => speed.latest());
  look(() => speed.tryWrite("speed is 9000"));
  say(
    "Readers do not look there. The other writer has to wait, because this one is alive.",
  );
  say("Now it dies. The kernel does this for any dead process:");
  look(() => {
    seat.close();
  });
  look(() => owner.load());
  predict("The word still says that seat 2 is writing. May another writer write now?");
  look(() => speed.tryWrite("speed is 12"));
  picture(entriesOf(dying));
  say(
    `Yes. It saw that the seat was empty, took it for a moment, and stored its own seat in the word.
    Nothing needed repair: number ${number} had never been published, so the new message gets its
    entry and its number.`,
  );
  look(() => speed.since(9));
}

async function anyOfAnyKind(name: string, speed: TextSlot): Promise<void> {
  step("Slots, rings and topics");
  say(
    `Rings and topics have bells, too. So \`waitAny\` can sleep on all of them together: here on a
    listener, a ring and a topic.`,
  );
  const listener = tidyUp(run("listener", () => new Listener().add(speed)));
  const ring = tidyUp(run("ring", () => spsc(name, { type: text() }).consumer()));
  const frames = run("frames", () => topic(name, { type: text(64) }));
  const subscriber = tidyUp(run("subscriber", () => frames.subscriber()));
  const producer = tidyUp(spsc(name, { type: text() }).producer());
  const publisher = tidyUp(frames.publisher());
  look(() => listener.look().map((slot) => slot.name));
  const names = new Map<Waitable, string>([
    [listener, "listener"],
    [ring, "ring"],
    [subscriber, "topic"],
  ]);
  say("Each time, the program begins to wait, and then a message arrives.");
  predict(
    "Messages arrive in the topic, the slot and the ring, in turn. What does each wait return?",
  );
  const begin = async () => {
    const first = waitAny([...names.keys()], PATIENT).then((one) => names.get(one));
    await until(asleepOnMany);
    return { first };
  };
  let { first } = await begin();
  look(() => publisher.trySend("a frame"));
  await runAsync("first", () => first);
  look(() => subscriber.tryReceive());
  ({ first } = await begin());
  look(() => speed.tryWrite("speed is 13"));
  await runAsync("first", () => first);
  look(() => listener.look().map((slot) => slot.name));
  ({ first } = await begin());
  look(() => producer.trySend("an order"));
  await runAsync("first", () => first);
  look(() => ring.tryReceive());
  say("`waitAny` only returns the handle that is ready. Then you receive from it as usual.");
}

/** What goes wrong with one word for all. */
async function breakIt(): Promise<void> {
  lookThenNote();
  await wakeOne();
}

tell({
  folder: "20_any_of_many",
  title: "Tutorial 20: events, bits, and waiting for any of many",
  name: "tutorial-20",
  main: { steps: 8, tell: main },
  break: { steps: 2, tell: breakIt },
  parties: {
    writer: { steps: 3, tell: writerProcess },
    listener: { steps: 4, tell: listenerProcess },
  },
});
