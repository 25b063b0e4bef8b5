/**
 * The program of a {@linkcode Party} that makes calls which never sleep, each while another process
 * seems to be stopped in the middle of removing the region.
 *
 * @module
 */

import { LockFile } from "../src/region/liveness.ts";
import { MEMBER } from "../src/region/opened.ts";
import { topicPath } from "../src/region/names.ts";
import { calls } from "../src/calls/definition.ts";
import { mpsc } from "../src/mpsc/definition.ts";
import { spsc } from "../src/spsc/definition.ts";
import { topic } from "../src/vdds/definition.ts";
import type { Subscriber } from "../src/vdds/subscriber.ts";
import { serve } from "./shared/serve_child.ts";
import { actBefore } from "./trap/trap.ts";

/** Makes a region that stays when it is closed. */
type Make = (name: string, options: { persist: boolean }) => Disposable;

const shown: Make = (name, options) => topic(name, options).publisher();
const served: Make = (name, options) => calls(name, options).server();
const left: Make = (name, options) => shown(`${name}/left`, options);

/** For each call: its setup, the type of the locked region, and the call. */
const CALLS: Record<string, [Make, type: string, (name: string) => unknown]> = {
  "SpscDefinition.ready": [
    (name, options) => spsc(name, options).consumer(),
    "spsc",
    (name) => spsc(name).ready(SOON),
  ],
  "SpscDefinition.nextConsumer": [
    (name, options) => spsc(name, options).consumer(),
    "spsc",
    (name) => spsc(name).nextConsumer(SOON),
  ],
  "MpscDefinition.ready": [
    (name, options) => mpsc(name, options).consumer(),
    "mpsc",
    (name) => mpsc(name).ready(SOON),
  ],
  "MpscDefinition.nextProducer": [
    (name, options) => mpsc(name, options).consumer(),
    "mpsc",
    (name) => mpsc(name).nextProducer(SOON),
  ],
  "calls.ready": [served, "calls", (name) => calls(name).ready(SOON)],
  "TopicDefinition.ready": [shown, "topic", (name) => topic(name).ready(SOON)],
  "TopicDefinition.nextPublisher": [shown, "topic", (name) => topic(name).nextPublisher(SOON)],
  "TopicDefinition.nextSubscriber": [shown, "topic", (name) => topic(name).nextSubscriber(SOON)],
  "Subscriber.tryReceive of sources": [left, "left", (name) => merged(name).tryReceive()],
  "Subscriber.receive of sources": [left, "left", (name) => merged(name).receive(SOON)],
};

const SOON = { timeout: 20 };

const open: Disposable[] = [];

function merged(name: string): Subscriber {
  const subscriber = topic(name, { publishers: "many" }).subscriber();
  open.push(subscriber);
  return subscriber;
}

/** Makes a call with the region locked; an error of its own if it sleeps. */
async function outcomeOf(call: string, name: string): Promise<string> {
  const [make, type, act] = CALLS[call]!;
  make(name, { persist: true })[Symbol.dispose]();
  const path = type === "left" ? topicPath("topic", `${name}/left`) : topicPath(type, name);
  using other = new LockFile(path, { write: true, what: "the test" });
  if (!other.tryLock(MEMBER, "write")) throw new Error(`${path} is in use`);
  actBefore("pause", () => {
    throw new Error("the thread sleeps");
  });
  try {
    return JSON.stringify(await act(name)) ?? "nothing";
  } catch (error) {
    return (error as Error).name === "TimeoutError" ? "TimeoutError" : `${error}`;
  } finally {
    for (const handle of open.splice(0)) handle[Symbol.dispose]();
  }
}

const TOOLS = { calls: () => Object.keys(CALLS), outcomeOf };

export type Tools = typeof TOOLS;

await serve(TOOLS);
