/**
 * Chapter 9 for the stage: the library's lock, and a death at each of its operations.
 *
 * @module
 */

import { lock, type Permit } from "../../mod.ts";
import { readAll } from "../../src/os/files.ts";
import { withTrap } from "../../test/trap/trap.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { type Coins, heir, moveCoins, openBank, owner } from "./owner.ts";
import { slow, unlinked } from "./unlinked.ts";
import { isOwned, wrongOrder } from "./wrong_order.ts";

/** The story of chapter 9. */
export const story: Story = {
  cast: { owner, heir, slow },
  steps: () => {
    const here = new Here();
    return [
      operations(here),
      between(here),
      inTheMiddle(here),
      beforeTheWork(here),
      beforeTheNumber(here),
      atTheEnd(here),
      youChoose(here),
      anHeirDies(here),
      ...unlinked(here),
      ...wrongOrder(here),
      whoRepairs(),
    ];
  },
};

/** What each operation does, in the order in which the library makes them. */
const MEANING = [
  "takes the record lock",
  "takes the number: 1 becomes 0",
  "takes 30 coins from Ann",
  "gives them to Ben",
  "gives the number back: 0 becomes 1",
  "drops the record lock",
];

/** The memory and the lock of this telling. */
export class Here {
  name = "";
  #bank: ReturnType<typeof openBank> | undefined;
  readonly #deaths = new Map<string, readonly string[]>();

  open(name: string): void {
    this.name = name;
    this.#bank = openBank(name);
  }

  get bank(): Coins {
    return this.#bank!.bank;
  }

  /** The number in the semaphore; its file begins with it. */
  get number(): number {
    const bytes = readAll(`/dev/shm/sem.${this.name}`);
    return typeof bytes === "number" ? NaN : bytes[0]!;
  }

  /** Starts an owner that stops before an operation. */
  async stopBefore(scene: Scene, operation: number): Promise<void> {
    const { bank } = this;
    [bank.ann, bank.ben, bank.at] = [100, 100, 0];
    bank.stopBefore = operation;
    scene.start("owner");
    await scene.until(() => bank.at === operation);
  }

  /** Kills a process and waits until the kernel has dropped its locks. */
  async kill(scene: Scene, actor: string): Promise<void> {
    scene.signal(actor, "SIGKILL");
    await scene.until(() => this.#bank!.members() === 1 && !isOwned(this.name));
  }

  /** Acquires the lock after a death, as an heir does, and shows what it learns. */
  inherit(scene: Scene, operation: number, dead = `${operation}`): Permit {
    const { number, bank, name } = this;
    const door = lock(name).open();
    const permit = scene.run("permit", () => door.lockSync());
    const found = [dead, `${number}`, `${permit.recovered}`, `${bank.ann + bank.ben}`];
    this.#deaths.set(dead, found);
    const rows = [...this.#deaths.values()];
    scene.show(tablePicture("deaths", "What the heir found", [
      ["killed before", "number", "recovered", "coins"],
      ...rows,
    ]));
    return permit;
  }

  /** Shows who owns what now. */
  showState(scene: Scene): void {
    const { bank, name, number } = this;
    scene.show(tablePicture("state", "The lock and the coins now", [
      ["record lock", "number", "Ann", "Ben"],
      [isOwned(name) ? "held" : "free", number, bank.ann, bank.ben],
    ]));
  }
}

function operations(here: Here): Step {
  return {
    title: "Six operations",
    text:
      `Chapter 8's lock has two halves: the record lock, which the kernel drops at a death, and the
      number in the semaphore, 1 for free and 0 for taken, which programs in C know too.

      \`door\` is the lock, and \`bank\` the two purses. We move 30 coins, and look after each operation.`,
    run: (scene) => {
      here.open(scene.name);
      const { bank, name } = here;
      [bank.ann, bank.ben] = [100, 100];
      const door = lock(name).open();
      const states: string[] = [];
      const look = () => states.push(`${isOwned(name) ? "held" : "free"} ${here.number}`);
      scene.look(() => {
        const permit = door.lockSync();
        bank.ann -= 30;
        bank.ben += 30;
        permit.release();
      });
      withTrap(() => look(), () => moveCoins(bank, door));
      look();
      const after = states.slice(1).map((state) => state.split(" "));
      scene.show(tablePicture("operations", "The operations, and the lock after each", [
        ["N", "operation", "record lock", "number"],
        ...after.map(([record, number], i) => [i + 1, MEANING[i]!, record!, number!]),
      ]));
      door.close();
    },
    after:
      `Two of the six are in \`lockSync\`, two are the work, and two are in \`release\`. A process
      may die between any two of them.`,
  };
}

function between(here: Here): Step {
  return {
    title: "A process between two operations",
    text:
      `We start an owner that moves the coins and stops before operation 4. Its card says \`owns sem\`:
      it holds the record lock on the semaphore's file.`,
    ask: {
      kind: "number",
      picture: "operations",
      text: "How many coins do Ann and Ben have together now?",
      unit: "coins",
      answer: () => here.bank.ann + here.bank.ben,
      right: "Operation 3 is done, and 4 is not. 30 coins are nowhere.",
      often: [
        {
          number: 200,
          because:
            "There are 200 coins before and after the move. Now the owner is in the middle " +
            "of it.",
        },
        { number: 230, because: "The owner takes from Ann first. Ben has not got anything yet." },
      ],
      otherwise: "Ann has lost 30, and Ben has not got them yet.",
    },
    run: async (scene) => {
      await here.stopBefore(scene, 4);
      here.showState(scene);
    },
  };
}

function inTheMiddle(here: Here): Step {
  return {
    title: "Killed before operation 4",
    text:
      `Kill the owner, by its card or by your answer. Then we acquire the lock: we are the heir.`,
    ask: {
      kind: "choice",
      text: "What does the heir find?",
      options: [
        {
          text: "The number 0, and the record lock free",
          right: true,
          because:
            "The kernel dropped the record lock, and nobody set the number to 1. From these " +
            "two the library concludes that an owner died, and says `recovered: true`.",
        },
        {
          text: "Both free, as the kernel tidies up",
          because: "The kernel tidies up only the record lock, which it knows. The number is " +
            "memory, so it stays 0.",
        },
        {
          text: "Both taken: it waits for ever",
          because: "In C, the heir would wait for ever, as the number stays 0. But the record " +
            "lock is free.",
        },
      ],
    },
    run: async (scene) => {
      await here.kill(scene, "owner");
      const permit = here.inherit(scene, 4);
      const { bank } = here;
      scene.look(() => {
        bank.ben = 200 - bank.ann;
        permit.release();
      });
    },
    after: `The heir has repaired the purses, and released the lock. So the next one finds a normal
      lock.`,
  };
}

/** A step in which an owner is killed before an operation that it has never been killed before. */
function killedBefore(
  here: Here,
  operation: number,
  step: Pick<Step, "title" | "text" | "ask" | "after">,
): Step {
  return {
    ...step,
    run: async (scene) => {
      await here.stopBefore(scene, operation);
      await here.kill(scene, "owner");
      here.inherit(scene, operation).release();
    },
  };
}

function beforeTheWork(here: Here): Step {
  return killedBefore(here, 3, {
    title: "One operation earlier",
    text:
      `Another owner is killed before operation 3. It has the lock, and has not touched a coin.`,
    ask: {
      kind: "choice",
      text: "What is `permit.recovered` for the heir?",
      options: [
        {
          text: "true, although nothing is missing",
          right: true,
          because:
            "The lock knows that an owner died. How far its work had come only the data can " +
            "show. So `recovered` means: look.",
        },
        {
          text: "false, because nothing is missing",
          because: "The lock knows nothing about coins. It sees that an owner died.",
        },
      ],
    },
  });
}

function beforeTheNumber(here: Here): Step {
  return killedBefore(here, 2, {
    title: "Two operations earlier",
    text: `This owner is killed before operation 2. It holds the record lock, and nothing else.`,
    ask: {
      kind: "choice",
      text: "What is `permit.recovered` for the heir?",
      options: [
        {
          text: "false",
          right: true,
          because: "The number is still 1. So the dead process had not begun, and nothing needs " +
            "repair.",
        },
        {
          text: "true: a process died with the lock",
          because: "The process died with half of the lock. The number is still 1, and work " +
            "begins only after it is 0.",
        },
        {
          text: "The heir waits for ever",
          because:
            "The heir need not wait: the kernel dropped the record lock, and the number is " +
            "1.",
        },
      ],
    },
  });
}

function atTheEnd(here: Here): Step {
  return killedBefore(here, 6, {
    title: "At the very end",
    text:
      `This one is killed before operation 6. The coins are moved, and the number is 1 again. Only
      the record lock is still held.`,
    ask: {
      kind: "choice",
      text: "What does the heir learn?",
      options: [
        {
          text: "Nothing: the lock is free",
          right: true,
          because:
            "The kernel has made operation 6 for the dead: it dropped the record lock. The " +
            "work was done.",
        },
        {
          text: "That an owner died",
          because: "The heir learns of a death from a 0. The number is 1, because the owner had " +
            "finished its work.",
        },
        {
          text: "It waits: the record lock is held",
          because: "The record lock was held until the owner died. Then the kernel dropped it.",
        },
      ],
    },
    after:
      `So for each N, the number says what the heir must know: 0 if the owner was at work, and 1
      if it was not.`,
  });
}

function youChoose(here: Here): Step {
  let chosen = 5;
  const isRight = () => chosen === 3 || chosen === 5;
  return {
    title: "You choose N",
    text:
      `Choose the operation before which the next owner dies, from 1 to 6. Find one for which the
      heir reads \`recovered: true\`, and yet all 200 coins are there.`,
    ask: {
      kind: "number",
      picture: "operations",
      text: "Before which operation?",
      answer: () => isRight() ? chosen : 5,
      right: "The owner was inside, and its work was not begun, or done. 3 and 5 are right.",
      often: [
        { number: 1, because: "The owner had not even begun to acquire the lock." },
        { number: 2, because: "The number was still 1, so the heir learned of no death." },
        {
          number: 4,
          because: "Before operation 4 the owner is in the middle of its work: 30 coins were " +
            "missing.",
        },
        { number: 6, because: "The number was 1 again, so the heir learned of no death." },
      ],
      otherwise: "There are six operations. We took the fifth for you.",
    },
    run: async (scene) => {
      const { bank } = here;
      chosen = [1, 2, 3, 4, 5, 6].find((operation) => operation === scene.answer) ?? 5;
      await here.stopBefore(scene, chosen);
      await here.kill(scene, "owner");
      const permit = here.inherit(scene, chosen);
      bank.ben = 200 - bank.ann;
      permit.release();
    },
    after: `Go back and forward again to try another one.`,
  };
}

function anHeirDies(here: Here): Step {
  return {
    title: "The heir dies, too",
    text:
      `An owner is killed in the middle, before operation 4. A first heir acquires the lock, reads
      \`recovered: true\`, and is killed before it has repaired anything. We are the second heir.`,
    ask: {
      kind: "choice",
      text: "What does the second heir read?",
      options: [
        {
          text: "recovered: true",
          right: true,
          because: "The first heir did not set the number to 1. So it is still 0, and the second " +
            "heir learns the same.",
        },
        {
          text: "recovered: false, as the first heir has taken note",
          because: "A note in the first heir's memory is gone with it. The number is still 0.",
        },
        {
          text: "Nothing: it waits for ever",
          because: "The kernel dropped the record lock of the first heir as well.",
        },
      ],
    },
    run: async (scene) => {
      const { bank } = here;
      await here.stopBefore(scene, 4);
      await here.kill(scene, "owner");
      bank.at = 0;
      scene.start("heir");
      await scene.until(() => bank.at !== 0);
      const learned = bank.at === 1;
      await here.kill(scene, "heir");
      const permit = here.inherit(scene, 4, "4, and its heir");
      if (!learned) throw new Error("The first heir did not learn of the death");
      scene.look(() => {
        bank.ben = 200 - bank.ann;
        permit.release();
      });
    },
    after:
      `Only \`release\` sets the number to 1. So repair first, and release then. A repair can be
      killed like anything else, and must be able to run twice.`,
  };
}

function whoRepairs(): Step {
  return {
    title: "Who repairs what",
    text: `The kernel drops the record lock of the dead. The lock passes the 0 on to the heir, as
      \`recovered\`. The heir looks at its data, repairs them, and releases.

      This chapter's way works for every structure of the library: list its operations, die before
      each, and say what is left and who repairs it. The library's tests do so with each of them, with
      the tool that you have just used: [[kill at step N]].

      Now write the lock yourself: four operations, in the right order.`,
  };
}
