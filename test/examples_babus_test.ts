/**
 * Runs the examples of slots and listeners as a user would: real processes with no permission but
 * `--allow-ffi`.
 */

import { assert, assertEquals } from "@std/assert";
import { Program, sharedFiles, sideBySide, uniqueName } from "./program.ts";

const test = sideBySide("the examples of slots");

type Part = "imu" | "image" | "control";

function start(part: Part, domain: string, ...options: string[]): Program {
  return new Program(`examples/babus_${part}.ts`, "--domain", domain, ...options);
}

/** Waits for the successful end of a sensor; returns the number of its readings, and the last
 * number. */
async function writtenBy(program: Program): Promise<{ written: number; last: number }> {
  const end = / Wrote ([\d,]+) (?:readings|images), the last is number ([\d,]+)\. $/;
  const [written, last] = await program.well(end);
  return { written: written!, last: last! };
}

const ACCOUNT =
  / Acted on ([\d,]+) readings, skipped ([\d,]+)\. Looked at ([\d,]+) images: 0 damaged, [\d,]+ overwritten; ([\d,]+) compared with readings, 0 different\. $/;

/** Waits for the successful end of the control; returns its counts. */
async function accountOf(program: Program) {
  const [acted, skipped, images, compared] = await program.well(ACCOUNT);
  return { acted: acted!, skipped: skipped!, images: images!, compared: compared! };
}

/** A second with readings and images, after two ways to tell how far the robot turned were there. */
const BUSY =
  / s +[1-9][\d,]* readings\/s, +[\d.]+ (?:us|ms) old {2}motor +-?\d+ % +[1-9]\d* images\/s\n +turned [-+][\d.]+ by camera, [-+][\d.]+ by readings\n/;
/** A second without readings. */
const ASLEEP = / s +0 readings\/s, +- old .* +0 images\/s\n/;
const READINGS_ONLY = / s +[1-9][\d,]* readings\/s, .* 0 images\/s\n/;

test("robot: the control first, then camera and sensor, and Ctrl-C leaves nothing", async () => {
  const domain = uniqueName();
  await using control = start("control", domain);
  await control.until(/^Controlling ".*"; waiting for readings, Ctrl-C ends it\n/);
  await using camera = start("image", domain);
  await camera.until(/^Filming for ".*", 1920 x 1080 pixels; Ctrl-C ends it\n/);
  await using sensor = start("imu", domain);
  await sensor.until(/^Measuring the motion of ".*", 200 times\/s; Ctrl-C ends it\n/);
  await control.until(BUSY);
  for (const program of [sensor, camera]) program.kill("SIGINT");
  const readings = await writtenBy(sensor);
  const images = await writtenBy(camera);
  control.kill("SIGINT");
  const seen = await accountOf(control);
  assertEquals(readings.written, readings.last);
  assertEquals(seen.acted + seen.skipped, readings.last); // from the first to the last
  assert(seen.images > 0 && seen.images <= images.last, control.out);
  assert(seen.compared > 0 && seen.compared <= seen.images, control.out);
  assertEquals(sharedFiles(domain), []);
});

test("robot: the sensor first, the control in the middle, the camera last", async () => {
  const domain = uniqueName();
  await using brief = start("imu", domain, "--seconds", "1");
  assert((await writtenBy(brief)).written > 0);
  assertEquals(sharedFiles(domain), []); // nobody was there to keep the readings
  await using sensor = start("imu", domain);
  await sensor.until(/^Measuring /);
  await using control = start("control", domain);
  await control.until(READINGS_ONLY);
  await using camera = start("image", domain);
  await control.until(BUSY);
  for (const program of [control, camera, sensor]) program.kill("SIGTERM");
  const { acted, images } = await accountOf(control);
  assert(images > 0 && images <= (await writtenBy(camera)).last);
  assert(acted > 0 && acted <= (await writtenBy(sensor)).last);
  assertEquals(sharedFiles(domain), []);
});

test("robot: images wake no listener, and other sensors replace killed ones", async () => {
  const domain = uniqueName();
  await using control = start("control", domain);
  await control.until(/^Controlling /);
  await using first = start("imu", domain);
  await using camera = start("image", domain);
  await control.until(BUSY);
  await first.killed();
  await control.until(ASLEEP); // and the camera keeps running
  await using second = start("imu", domain);
  await control.until(BUSY);
  await camera.killed(); // some of the time it is painting
  await control.until(READINGS_ONLY);
  await using other = start("image", domain);
  await control.until(BUSY);
  for (const program of [second, other]) program.kill("SIGINT");
  const readings = await writtenBy(second);
  assert(readings.written < readings.last, second.out); // the numbers continued
  const images = await writtenBy(other);
  assert(images.written < images.last, other.out);
  control.kill("SIGINT");
  const { acted, skipped } = await accountOf(control);
  assertEquals(acted + skipped, readings.last);
  assertEquals(sharedFiles(domain), []);
});
