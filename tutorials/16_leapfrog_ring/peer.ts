/**
 * Chapter 16: another process maps the same memory, and its windows do not leap.
 *
 * @module
 */

import { sharedMemory } from "../../mod.ts";
import { sleepSync } from "../../src/os/clock.ts";
import { close, map, MapFlag, Open, open, Protection } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";
import { windowsIn } from "./strip.ts";

const PAGES = 4;

/** The shared file: what the peer reports is at its beginning, and its third page has windows. */
function fileOf(name: string): { report: Float64Array; fd: number; offset: number } {
  const page = pageSize();
  const { bytes } = sharedMemory(name, { size: 3 * page }).open();
  const fd = open(`/dev/shm/vring.shm.${name}`, Open.write);
  return { report: new Float64Array(bytes.buffer, bytes.byteOffset, 2), fd, offset: 2 * page };
}

/** Reserves a range, and shows a page of the file in its first two pages. */
function mapTwice(fd: number, offset: number): { start: number; show: (at: number) => number } {
  const page = pageSize();
  const protection = Protection.read | Protection.write;
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const start = map({ length: PAGES * page, protection, flags });
  const show = (address: number) =>
    map({
      address,
      length: page,
      protection,
      flags: MapFlag.shared | MapFlag.fixed,
      fd,
      offset,
    });
  if (show(start) < 0 || show(start + page) < 0) throw new Error("Cannot map the windows");
  return { start, show };
}

/** The pages with windows, as one number: bit i for page i. */
function bitsOf(start: number): number {
  return windowsIn(start, PAGES).reduce((bits, is, i) => is ? bits | 1 << i : bits, 0);
}

/** Plays the other process: reports where its windows are, again and again. */
export function playPeer(name: string): void {
  const { report, fd, offset } = fileOf(name);
  const { start } = mapTwice(fd, offset);
  for (;;) {
    report[0] = bitsOf(start);
    report[1]!++;
    sleepSync(2);
  }
}

/** The step with both processes. */
export function anotherProcess(): Step {
  return {
    title: "Another process",
    text:
      `Two processes can share a mirror ring. Could they share a leapfrog ring? A second process maps the
      same page of memory twice in a range of its own. Then we leap.`,
    ask: {
      kind: "choice",
      text: "What happens to the windows of the other process?",
      options: [
        {
          text: "They leap too: it is the same memory",
          because:
            "The memory is the same. The addresses are not: each process has its own tables.",
        },
        {
          text: "They become zeros",
          because: "We map zeros over our own addresses only.",
        },
        {
          text: "Nothing: they stay",
          right: true,
          because:
            "A leap changes the page tables of one process. The other one has tables of its " +
            "own, and would have to make the same two calls at the right moment.",
        },
      ],
    },
    run: async (scene) => {
      const page = pageSize();
      const { report, fd, offset } = fileOf(scene.name);
      const { start, show } = mapTwice(fd, offset);
      scene.start("peer");
      await scene.until(() => report[1]! > 1);
      const pagesOf = (bits: number) =>
        Array.from({ length: PAGES }, (_, i) => i).filter((i) => bits & 1 << i).join(", ");
      const rows: string[][] = [];
      const note = (what: string) => {
        rows.push([what, pagesOf(bitsOf(start)), pagesOf(report[0]!)]);
        scene.show(tablePicture("both", "Pages with windows, by the lists of both processes", [
          ["", "this process", "the other one"],
          ...rows,
        ]));
      };
      note("before");
      const hide = (address: number) =>
        map({
          address,
          length: page,
          protection: Protection.read,
          flags: MapFlag.private | MapFlag.anonymous | MapFlag.fixed,
        });
      scene.look(() => {
        hide(start);
        show(start + 2 * page);
      });
      const last = report[1]!;
      await scene.until(() => report[1]! > last + 1);
      note("after our leap");
      scene.signal("peer", "SIGKILL");
      close(fd);
    },
    after: `This is why the leapfrog ring is private to one process.`,
  };
}
