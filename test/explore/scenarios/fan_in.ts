/**
 * Two senders and one receiver that goes by their hints alone: it is not asked to look at every lane
 * before it sleeps, so that a hint that is lost shows. The receiver counts as alone with a lane after
 * one search.
 *
 * @module
 */

import { FanIn } from "../../../src/lane/fan_in.ts";
import { type LanePlace, LaneReceiver, LaneSender } from "../../../src/lane/lane.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { Doorbell } from "../../../src/wait/doorbell.ts";
import { waitSync } from "../../wait/outcome.ts";
import { Hints } from "../broken/waits.ts";
import {
  type ActorSpec,
  arranged,
  makeMemory,
  mapMemory,
  type Parts,
  type Scenario,
  scenarios,
} from "../scenario.ts";

const HINT = { path: "hint", offset: 0 };
const DATA_BELL = { path: "data bell", offset: 64 };
const CAPACITY = 64;
/** The bytes of a message, which are not written: the positions are all that matters here. */
const LENGTH = 8;

/** The words of a lane are at `control`; its data is never touched. */
function place(lane: number, hints: Hints): LanePlace {
  const mapping = mapMemory("shared");
  const control = 512 * (lane + 1);
  const dataBell = hints.bell(new Word32(mapping, HINT), lane, new Doorbell(mapping, DATA_BELL));
  const spaceBell = new Doorbell(mapping, { path: `space bell ${lane}`, offset: control + 256 });
  return {
    what: `lane ${lane}`,
    mapping,
    control,
    data: 0,
    capacity: CAPACITY,
    dataBell,
    spaceBell,
  };
}

function sender(lane: number, messages: number, hints: Hints): ActorSpec {
  return arranged(() => new LaneSender(place(lane, hints)), (sender) => {
    for (let i = 0; i < messages; i++) sender.publish(LENGTH);
  });
}

/** Receives so many messages; returns how many came from each lane. */
function receiver(messages: number, hints: Hints): ActorSpec {
  const open = () => {
    const memory = mapMemory("shared");
    const lanes = [0, 1].map((lane) => new LaneReceiver(place(lane, hints)));
    return {
      fan: new FanIn(lanes, hints.received(memory, HINT), 1),
      bell: new Doorbell(memory, DATA_BELL),
    };
  };
  return arranged(open, ({ fan, bell }) => {
    const received = fan.lanes.map(() => 0);
    const ready = () => fan.next() !== undefined;
    for (let left = messages; left > 0;) {
      const lane = fan.next();
      if (lane === undefined) waitSync({ bell, watch: fan.watch, ready }, { spin: 0 });
      else {
        lane.release(LENGTH);
        received[fan.lanes.indexOf(lane)]!++;
        left--;
      }
    }
    return received;
  });
}

/** A sender of several messages, and one that sends one at any time. */
export function alone(make: () => Hints = () => new Hints()): Parts & Pick<Scenario, "setup"> {
  return {
    setup: () => makeMemory("shared", 2048),
    actors: {
      usual: sender(0, 3, make()),
      other: sender(1, 1, make()),
      receiver: receiver(4, make()),
    },
    bounds: "2/0/0",
    check: ({ results }) =>
      `${results.receiver}` === "3,1" ? undefined : `received ${results.receiver}`,
  };
}

/** All scenarios of hints. */
export const FAN_IN: readonly Scenario[] = scenarios([
  {
    name: "fan-in-alone",
    about: "a receiver that leaves the hint of the one sender set, and another sender",
    ...alone(),
    bounds: "3/0/0",
  },
]);
