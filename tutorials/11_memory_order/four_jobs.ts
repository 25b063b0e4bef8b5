/**
 * Chapter 11: four jobs, and for each what is enough and what is not, by the explorer.
 *
 * @module
 */

import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";
import { allOrders as allLooks, oneExchanges, otherExchanges } from "./counting.ts";
import {
  allOrders,
  copyThenLook,
  copyThenLookLast,
  overwrite,
  receive,
  receivePlainly,
  send,
  sendPlainly,
} from "./message.ts";
import type { Found, OrderedMemory } from "./weak.ts";

function oneReleases({ x, y }: OrderedMemory): number {
  x.store(1);
  return y.glance();
}

function otherReleases({ x, y }: OrderedMemory): number {
  y.store(1);
  return x.glance();
}

function told(tool: string, { wrong }: Found): string {
  return `${tool}: ${wrong === undefined ? "right" : "wrong"}`;
}

/** The step that sets release, acquire, exchange and barrier side by side. */
export function fourJobs(): Step {
  return {
    title: "Four jobs, four tools",
    text: `Each of the four has one job. The explorer now tries each job with too little, and with
      enough.`,
    ask: {
      kind: "choice",
      text:
        "A process stores `closed` by a release, and then looks at `reading` by a plain load. " +
        "Can the look come first?",
      options: [
        {
          text: "Yes",
          right: true,
          because:
            "A release holds back only what came before it. To store and then look, exchange.",
        },
        {
          text: "No: a release keeps its place",
          because:
            "It stays behind what came before it. What comes after it may be served earlier.",
        },
        {
          text: "No: a process keeps its own order",
          because: "The process itself sees its own order. Others need not see it.",
        },
      ],
    },
    run: (scene) => {
      const releases = scene.run("releases", () => allLooks(oneReleases, otherReleases));
      scene.show(tablePicture("jobs", "In every order, also of a processor that reorders", [
        ["the job", "too little", "enough"],
        [
          "announce what you wrote",
          told("a plain store", allOrders(sendPlainly, receive)),
          told("a release", allOrders(send, receive)),
        ],
        [
          "see it announced, then read",
          told("a plain load", allOrders(send, receivePlainly)),
          told("an acquire", allOrders(send, receive)),
        ],
        [
          "store, then look elsewhere",
          told("a release", releases),
          told("an exchange", allLooks(oneExchanges, otherExchanges)),
        ],
        [
          "copy, then look again",
          told("an acquire", allOrders(overwrite, copyThenLook)),
          told("a barrier first", allOrders(overwrite, copyThenLookLast)),
        ],
      ]));
    },
    after: `JavaScript's \`Atomics\` are stricter: they keep their order among each other, too.`,
  };
}
