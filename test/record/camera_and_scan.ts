/**
 * Publishes frames of 6.2 MB 30 times a second, and a scan 1,000 times a second, until a line comes
 * in; then prints how many of each. Run with the prefix of both names.
 *
 * @module
 */

import { topic } from "../../src/vdds/definition.ts";

const [prefix] = Deno.args as [string];
const frames = { size: 1920 * 1080 * 3, depth: 6, policy: "dropOldest" } as const;
using camera = topic(`${prefix}/camera`, frames).publisher();
using scan = topic(`${prefix}/scan`, { size: 64, depth: 64, policy: "dropOldest" }).publisher();
const frame = new Uint8Array(frames.size);
const sent = { camera: 0, scan: 0 };

await Promise.all([camera.waitForPeers(1), scan.waitForPeers(1)]);
const start = performance.now();
const timer = setInterval(() => {
  const seconds = (performance.now() - start) / 1000;
  for (; sent.scan < seconds * 1000; sent.scan++) scan.trySend(new Uint8Array(64));
  for (; sent.camera < seconds * 30; sent.camera++) {
    frame.fill(sent.camera);
    camera.trySend(frame);
  }
}, 1);
console.log("publishing");
await Deno.stdin.read(new Uint8Array(1));
clearInterval(timer);
console.log(JSON.stringify(sent));
await Deno.stdin.read(new Uint8Array(1)); // the topics stay until the recorder has read them
