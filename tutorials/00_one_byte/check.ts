/**
 * The checks of the exercise: the bytes are real shared memory, and the other process looks at them
 * after every store of the answer.
 *
 * @module
 */

import {
  allocate,
  bufferAt,
  close,
  map,
  MapFlag,
  memfd,
  Protection,
  unmap,
} from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { type Check, expect, runChecks } from "../check.ts";

/** An answer: what the other process does with the two bytes. */
export type Play = (bytes: Uint8Array) => void;

const SIZE = 8;
const page = pageSize();
const [OURS, YOURS] = [0, 1];

/** Checks an answer and prints the results. */
export function checkPlay(play: Play): void {
  runChecks(import.meta.url, checksOf(play));
}

/** The checks that an answer must pass. */
export function checksOf(play: Play): Check[] {
  const check = (what: string, act: (game: Game) => void, hint: string): Check => ({
    what,
    check: () => {
      using game = new Game(play);
      act(game);
    },
    hint,
  });
  return [
    check(
      "when it is your turn, the number grows by 1",
      (game) => game.turn(YOURS, 5),
      "read `bytes[1]`, add 1, and store it there.",
    ),
    check(
      "and the turn is given back",
      (game) => game.turn(YOURS, 6, { given: true }),
      "`bytes[0]` must be 0 in the end.",
    ),
    check(
      "when it is not your turn, nothing changes",
      (game) => game.turn(OURS, 9, { given: true }),
      "look at `bytes[0]` before you change anything.",
    ),
    check(
      "the number is right as soon as the turn is given back",
      (game) => game.turn(YOURS, 7, { given: true, atOnce: true }),
      "the other process may read the number right after `bytes[0] = 0`. What must come first?",
    ),
    check(
      "ten rounds, in which the other process also adds 1",
      (game) => {
        for (let number = 20; number < 40; number += 2) game.turn(YOURS, number, { given: true });
      },
      "the number is in the shared byte. Is there a copy of it in a variable of yours?",
    ),
    check(
      "turns that come late, and the largest number",
      (game) => {
        for (const number of [3, 255, 0]) {
          game.turn(OURS, number, { given: true });
          game.turn(YOURS, number, { given: true });
        }
      },
      "a byte holds 0 to 255, and 255 + 1 is stored as 0. You need not do anything for that.",
    ),
  ];
}

/** Two bytes in shared memory, and a mapping for each process. The memory has no name to leave. */
class Game implements Disposable {
  readonly #play: Play;
  readonly #here: Uint8Array<ArrayBuffer>;
  readonly #there: Uint8Array<ArrayBuffer>;
  readonly #addresses: readonly number[];

  constructor(play: Play) {
    this.#play = play;
    const fd = memfd("exercise");
    allocate(fd, 0, page);
    const protection = Protection.read | Protection.write;
    const mapped = () => map({ length: page, protection, flags: MapFlag.shared, fd });
    this.#addresses = [mapped(), mapped()];
    close(fd);
    const [here, there] = this.#addresses.map((address) => new Uint8Array(bufferAt(address, SIZE)));
    [this.#here, this.#there] = [here!, there!];
  }

  /** Calls the answer once, and fails unless it has done what it should. */
  turn(whose: number, number: number, wants: { given?: boolean; atOnce?: boolean } = {}): void {
    const [here, there] = [this.#here, this.#there];
    here.fill(0);
    here[1] = number;
    here[0] = whose;
    const story = [`at first      ${shown(here)}`];
    let early: number | undefined;
    const bytes = watched(there, (place, value) => {
      story.push(`you store     ${shown(here)}     bytes[${place}] = ${value}`);
      if (whose === YOURS && here[0] === OURS) early ??= here[1];
    });
    this.#play(bytes);
    story.push(`you return    ${shown(here)}`);
    const right = whose === YOURS ? (number + 1) % 256 : number;
    const seen = wants.atOnce === true ? early ?? here[1] : here[1];
    const why = wants.atOnce === true
      ? "The other process read the number once it had the turn"
      : "The number is";
    expect(seen === right, `${story.join("\n")}\n\n${why}: ${seen}. Expected: ${right}.`);
    const rest = here.subarray(2);
    expect(rest.every((byte) => byte === 0), `${story.join("\n")}\n\nA third byte was changed.`);
    if (wants.given !== true) return;
    expect(here[0] === OURS, `${story.join("\n")}\n\nThe turn is ${here[0]}. Expected: 0.`);
  }

  [Symbol.dispose](): void {
    for (const { buffer } of [this.#here, this.#there]) buffer.transfer(0);
    for (const address of this.#addresses) unmap(address, page);
  }
}

function shown([turn, number]: Uint8Array): string {
  return `turn ${turn}, number ${number}`;
}

/** The bytes, with a look of the other process after every store. */
function watched(bytes: Uint8Array, look: (place: string, value: number) => void): Uint8Array {
  return new Proxy(bytes, {
    get: (target, key) => {
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, key, value) => {
      const done = Reflect.set(target, key, value, target);
      look(String(key), value);
      return done;
    },
  });
}
