/**
 * The checks of the exercise, with a real topic and both of its ends.
 *
 * @module
 */

import { type Policy, type Publisher, type Subscriber, topic } from "../../mod.ts";
import { type Check, expect, ownName, runChecks } from "../check.ts";
import { mapsLine } from "../kernel_view.ts";
import { bytesOf, SHAPE, textOf } from "./frames.ts";

/** Where frames are shown. */
export interface Screen {
  /** Shows a frame; may throw. */
  draw(frame: Uint8Array): void;
  /** Shows that so many frames were lost. */
  missed(count: number): void;
}

/** An answer. */
export type Show = (subscriber: Subscriber, screen: Screen) => void;

/** Checks an answer and prints the results. */
export function checkShow(show: Show): void {
  runChecks(import.meta.url, checksOf(show));
}

/** The checks that an answer must pass. */
export function checksOf(show: Show): Check[] {
  return [
    {
      what: "it draws a new frame, and nothing without one",
      check: () => drawOne(show),
      hint: "`tryTake` returns undefined when there is nothing to take.",
    },
    {
      what: "it draws only the newest of several",
      check: () => drawNewest(show),
      hint: "`tryTakeLatest` releases those before it.",
    },
    {
      what: "it draws the frame where it is, in shared memory, and no copy",
      check: () => drawInPlace(show),
      hint: "`take` shows a sample in place, and `receive` copies it.",
    },
    {
      what: "it releases every frame that it takes",
      check: () => giveBack(show, () => {}),
      hint: "the publisher has only the room that you release.",
    },
    {
      what: "it releases every frame even if the screen throws",
      check: () =>
        giveBack(show, () => {
          throw new Error("the screen is gone");
        }),
      hint: "`using sample` releases it however the block ends.",
    },
    {
      what: "a frame does not change while it is drawn",
      check: () => holdStill(show),
      hint: "the publisher overwrites a released frame. When are you done with it?",
    },
    {
      what: "it reports every loss, and only losses",
      check: () => tellLost(show),
      hint: "`sample.lost` is the number of samples lost just before this one.",
    },
  ];
}

/** A topic of its own, with both ends. */
class Scene implements Disposable {
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
  readonly drawn: string[] = [];
  missed = 0;
  #sent = 0;
  readonly #show: Show;

  constructor(show: Show, policy: Policy = "block") {
    const frames = topic(ownName("frames"), { ...SHAPE, policy });
    this.#show = show;
    this.publisher = frames.publisher();
    this.subscriber = frames.subscriber();
  }

  /** Sends so many frames, as far as there is room; returns their number. */
  send(count: number): number {
    const before = this.#sent;
    for (let i = 0; i < count; i++) {
      if (this.publisher.trySend(bytesOf(`frame ${this.#sent + 1}`))) this.#sent++;
    }
    return this.#sent - before;
  }

  /** Lets the answer show the newest frame. */
  show(whileDrawn: () => void = () => {}): void {
    this.#show(this.subscriber, {
      draw: (frame) => {
        const text = textOf(frame);
        whileDrawn();
        expect(
          textOf(frame) === text,
          `You draw "${text}", and meanwhile it becomes "${textOf(frame)}".`,
        );
        this.drawn.push(text);
      },
      missed: (count) => {
        expect(count > 0, `You report a loss of ${count} frames. Report only losses.`);
        this.missed += count;
      },
    });
  }

  expectDrawn(...frames: string[]): void {
    const [wanted, seen] = [frames, this.drawn].map((list) => list.join(", ") || "nothing");
    expect(wanted === seen, `Drawn: ${seen}. Expected: ${wanted}.`);
  }

  [Symbol.dispose](): void {
    this.subscriber.close();
    this.publisher.close();
  }
}

function drawOne(show: Show): void {
  using scene = new Scene(show);
  scene.show();
  scene.expectDrawn();
  scene.send(1);
  scene.show();
  scene.expectDrawn("frame 1");
  scene.show();
  scene.expectDrawn("frame 1");
}

function drawNewest(show: Show): void {
  using scene = new Scene(show);
  scene.send(3);
  scene.show();
  scene.expectDrawn("frame 3");
}

/** The drawn bytes must be in a mapping of the topic's file. */
function drawInPlace(show: Show): void {
  using scene = new Scene(show);
  scene.send(1);
  let line: string | undefined;
  let drawn = false;
  show(scene.subscriber, {
    draw: (frame) => {
      drawn = true;
      const pointer = Deno.UnsafePointer.of(frame as Uint8Array<ArrayBuffer>);
      line = mapsLine(Number(Deno.UnsafePointer.value(pointer)));
    },
    missed: () => {},
  });
  expect(drawn, "You draw nothing.");
  expect(
    / (?:r-|rw)-s /.test(line ?? ""),
    `You draw a copy: the kernel lists its address as\n${line ?? "nothing"}\nand not as shared.`,
  );
}

function giveBack(show: Show, whileDrawn: () => void): void {
  using scene = new Scene(show);
  for (const count of [1, 2, 3, 3]) {
    const sent = scene.send(count);
    expect(
      sent === count,
      `There is room for 3 frames, but now only ${sent} of ${count} fit.`,
    );
    try {
      scene.show(whileDrawn);
    } catch (error) {
      if ((error as Error).message !== "the screen is gone") throw error;
    }
  }
  const { inFlight } = scene.publisher.counters;
  expect(inFlight === 0, `${inFlight} frames are not released.`);
}

function holdStill(show: Show): void {
  using scene = new Scene(show);
  scene.send(1);
  scene.show(() => scene.send(3));
}

function tellLost(show: Show): void {
  using scene = new Scene(show, "dropOldest");
  let lost = 0;
  for (const count of [1, 10, 2, 5, 4]) {
    scene.send(count);
    scene.show();
    lost += Math.max(count - 3, 0);
    expect(
      scene.missed === lost,
      `${lost} were lost so far, and you have reported ${scene.missed}. (A frame that you ` +
        "skipped for a newer one is not lost.)",
    );
  }
}
