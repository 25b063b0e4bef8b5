/**
 * The control of a robot: it listens to two slots, and sleeps until the inertial sensor has news.
 * Then it acts on the newest reading. Images do not wake it: it learns of them along with a
 * reading, and compares the newest image with the one three before it, both in place.
 *
 *     deno run --allow-ffi examples/babus_control.ts
 *
 * It works together with babus_imu.ts, which says how to run all three, and babus_image.ts. It
 * measures twice how far the robot has turned between the two images: by the pole that both show,
 * and by the older readings from the times when they were taken.
 *
 * @module
 */

import { Listener, type SlotPeek, VringError } from "../mod.ts";
import {
  type Image,
  PIXELS,
  PIXELS_PER_DEGREE,
  robotNamed,
  type RobotSlots,
  ROW,
} from "./babus.ts";
import { clock, count, endAfter, options, wrap } from "./ticker.ts";
import { duration, Durations, every } from "./vdds_meter.ts";

/** Between readings closer than this, the robot turns at an even speed. */
const GAP_MS = 40;

/** Camera and sensor may differ by this: half a pixel for each image, and the uneven turn. */
const TOLERANCE_DEGREES = 0.1;

async function main(): Promise<void> {
  const { domain, seconds } = options({ domain: "robot", seconds: 3600 });
  const end = endAfter(seconds);
  using robot = robotNamed(domain).open();
  const control = new Control(robot.slots);
  using listener = new Listener().add(control.imu).add(control.image, { wake: false });
  console.log(`Controlling "${domain}"; waiting for readings, Ctrl-C ends it`);
  using _lines = every(1000, () => console.log(control.line()));
  for await (const news of listener.news({ until: end })) {
    if (news.some((slot) => slot === control.imu)) control.act();
    if (news.some((slot) => slot === control.image)) control.compare();
  }
  console.log(control.account());
}

/** Counts of readings and images. */
class Counts {
  acted = 0;
  skipped = 0;
  images = 0;
  overwritten = 0;
  damaged = 0;
  compared = 0;
  differing = 0;
}

class Control {
  readonly imu;
  readonly image;
  readonly #counts = new Counts();
  readonly #ages = new Durations();
  #told = new Counts();
  #seen: { reading: number; image: number };
  #seconds = 0;
  #motor = "motor    -";
  #turned = "";

  constructor({ imu, image }: RobotSlots) {
    this.imu = imu;
    this.image = image;
    this.#seen = { reading: this.imu.sequence, image: this.image.sequence };
  }

  /** Acts on the newest reading, and skips older ones, which no longer matter. */
  act(): void {
    const reading = this.imu.latest();
    if (reading === undefined) return;
    const { sequence, time, value } = reading;
    if (sequence === this.#seen.reading) return; // it arrived between the last news and that look
    this.#ages.note(clock() - time);
    this.#counts.acted++;
    this.#counts.skipped += sequence - this.#seen.reading - 1;
    this.#seen.reading = sequence;
    const percent = -value.heading - value.turn / 2; // back to the middle, and not too fast
    this.#motor = `motor ${percent.toFixed().padStart(4)} %`;
  }

  /** Compares the newest image and the oldest one, in place. */
  compare(): void {
    if (this.image.sequence === this.#seen.image) return;
    this.#seen.image = this.image.sequence;
    const newest = this.#look(this.image.sequence);
    const oldest = this.#look(this.image.sequence - this.image.depth + 1);
    if (newest !== undefined) this.#counts.images++;
    if (newest === undefined || oldest === undefined) return;
    const from = this.#headingAt(oldest.time);
    const to = this.#headingAt(newest.time);
    if (from === undefined || to === undefined) return; // the sensor was not running then
    const [seen, measured] = [newest.heading - oldest.heading, to - from];
    this.#counts.compared++;
    if (Math.abs(seen - measured) > TOLERANCE_DEGREES) this.#counts.differing++;
    this.#turned = `turned ${degrees(seen)} by camera, ${degrees(measured)} by readings`;
  }

  /** Returns when an image was taken and where the robot looked; undefined if the image does not
   * show it. */
  #look(number: number): { readonly time: number; readonly heading: number } | undefined {
    const peek = this.image.peek(number);
    if (peek === undefined) return undefined; // so many have not been written yet
    const { time, pole } = find(peek);
    if (!peek.valid) { // the bytes read belong to two images
      this.#counts.overwritten++;
      return undefined;
    }
    if (pole < 0) {
      this.#counts.damaged++;
      return undefined;
    }
    return { time, heading: (PIXELS.across / 2 - pole) / PIXELS_PER_DEGREE };
  }

  /** Where the robot looked at a time, between the readings before and after it. */
  #headingAt(time: number): number | undefined {
    let after: { readonly time: number; readonly heading: number } | undefined;
    for (let number = this.imu.sequence; number > 0; number--) {
      const value = this.imu.at(number)?.value;
      if (value === undefined) return undefined; // it is overwritten
      if (value.time > time) {
        after = value;
        continue;
      }
      if (after === undefined || after.time - value.time > GAP_MS) return undefined;
      const part = (time - value.time) / (after.time - value.time);
      return value.heading + part * (after.heading - value.heading);
    }
    return undefined;
  }

  /** The line for each second. */
  line(): string {
    const [now, told] = [this.#counts, this.#told];
    const age = this.#ages.quantile(0.5);
    this.#ages.clear();
    this.#told = { ...now };
    return `${++this.#seconds} s`.padStart(6) +
      `${count(now.acted - told.acted).padStart(6)} readings/s, ${duration(age)} old  ` +
      `${this.#motor}  ${count(now.images - told.images).padStart(3)} images/s\n` +
      `${" ".repeat(8)}${this.#turned}`.trimEnd();
  }

  /** The summary at the end. */
  account(): string {
    const { acted, skipped, images, overwritten, damaged, compared, differing } = this.#counts;
    return `Acted on ${count(acted)} readings, skipped ${count(skipped)}.\n` + wrap(
      `Looked at ${count(images)} images: ${damaged} damaged, ${overwritten} overwritten; ` +
        `${count(compared)} compared with readings, ${differing} different.`,
    );
  }
}

/** When an image was taken, and the column of the pole; -1 unless all rows show it there. */
function find({ view }: SlotPeek<typeof Image>): { readonly time: number; readonly pole: number } {
  const { time, pixels } = view;
  let pole = 0;
  while (pole < PIXELS.across && !isRed(pixels, 3 * pole)) pole++;
  for (let at = 3 * pole; at < pixels.length; at += ROW) {
    if (!isRed(pixels, at)) return { time, pole: -1 };
  }
  return { time, pole };
}

function isRed(pixels: Uint8Array, at: number): boolean {
  return pixels[at] === 255 && pixels[at + 1] === 0 && pixels[at + 2] === 0;
}

function degrees(angle: number): string {
  return `${angle < 0 ? "" : "+"}${angle.toFixed(2)}`;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another program defines a slot with another depth
  Deno.exitCode = 1;
}
