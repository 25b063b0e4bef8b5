/**
 * Tutorial 20 with two real processes, one in each terminal: the writer is killed in the middle of
 * a message, and the listener writes in its place.
 *
 * @module
 */

import { domain, Listener } from "../../mod.ts";
import { ask, look, picture, run, say, step, tidyUp } from "../narrator.ts";
import { bytesOf, closeAtEnd, SHAPE, type TextSlot } from "./inside.ts";

/** The slots that both use. */
interface Slots {
  readonly speed: TextSlot;
  /** Notes from one process to the other. */
  readonly notes: TextSlot;
}

function open(name: string): Slots {
  const texts = SHAPE;
  const robot = run("robot", () => domain(name, { speed: texts, notes: texts }).open());
  closeAtEnd(robot);
  return robot.slots;
}

/** The process that is killed. */
export function writerProcess(name: string): void {
  step("Meet");
  const { speed, notes } = open(name);
  say("The listener will leave a note. If it is not running yet, start it in the other terminal:");
  picture("deno run --allow-ffi tutorials/20_any_of_many/step.ts listener");
  const arrival = tidyUp(new Listener().add(notes));
  look(() => arrival.waitSync().map((slot) => slot.name));

  step("Write");
  look(() => speed.writeSync("speed is 1"));
  look(() => speed.writeSync("speed is 2"));

  step("Be killed");
  const claim = run("claim", () => speed.claimSync(10));
  look(() => {
    claim.bytes.set(bytesOf("SPEED"));
  });
  look(() => notes.writeSync(`${Deno.pid}`));
  say(
    `Half a message is in shared memory. Continue in the other terminal until it waits for its turn
    to write. Then kill this process from a third terminal, and watch the other:`,
  );
  picture(`kill -9 ${Deno.pid}`);
  ask("\n[or Enter here: complete the message, and publish it] ");
  look(() => {
    claim.bytes.set(bytesOf("speed is 3"));
  });
  look(() => claim.publish());
}

/** The process that takes over. */
export function listenerProcess(name: string): void {
  step("Meet");
  const { speed, notes } = open(name);
  say("Now the other terminal, unless it is already waiting:");
  picture("deno run --allow-ffi tutorials/20_any_of_many/step.ts writer");
  look(() => notes.writeSync("here"));

  step("Sleep on two bells");
  const listener = tidyUp(run("listener", () => new Listener().add(speed).add(notes)));
  look(() => listener.look().map((slot) => slot.name));
  say(
    "That was its own note. Now it sleeps until the slot `speed` has two messages.",
  );
  look(() => {
    while (speed.sequence < 2) {
      listener.waitSync();
    }
  });
  look(() => speed.latest());

  step("Wait for any");
  look(() => {
    while (notes.sequence < 2) {
      listener.waitSync();
    }
  });
  look(() => notes.latest());
  say("That is the writer's process id. The writer is in the middle of a message.");
  look(() => speed.latest());
  const turn = run("turn", () => speed.tryWrite("written at once"));

  step("Write, too");
  say(
    turn === undefined
      ? "This process waits for its turn to write, however long it takes. Kill the writer now."
      : "It has had its turn already, because no process was writing any more.",
  );
  look(() => speed.writeSync("written by the listener"));
  const messages = look(() => speed.since(0));
  say(
    messages.some(({ value }) => value === "speed is 3")
      ? "The writer lived and published its message first. There is nothing to repair."
      : `The writer died. It had claimed number 3 and written half of the message. It never
        published that message, so no process has seen it, and the next message got number 3.`,
  );
}
