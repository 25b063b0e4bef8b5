/**
 * Exercise: the account of a bridge.
 *
 * The near bridge sends messages with frames, which are numbered from 1. Write what the far bridge
 * does when one arrives: publish the frames that are new, and account for every number once. A
 * message may be lost, come twice or late, or repeat old frames before new ones. A late frame, which
 * was counted as lost already, stays lost. You have:
 *
 *     message.first, message.count     the number of its first frame, and how many it has. A mark
 *                                      has none, and `first` is the number of the next frame
 *     message.before, message.inside   how many frames were lost before and inside the near bridge
 *                                      so far, in all
 *     publish(number, lost)            publishes a frame here, and says how many are missing since
 *                                      the last one that was published. Returns false if it is refused
 *     mind.last, mind.published        numbers to remember; 0 at first
 *     mind.account                     published, before, inside, wire, here; all 0 at first
 *
 * Run it with `deno run --allow-ffi tutorials/23_bridge/exercise.ts`.
 *
 * @module
 */

import { checkAccount, type Message, type Mind, type Publish } from "./check.ts";

function arrive(mind: Mind, message: Message, publish: Publish): void {
  const { account } = mind;
  account.wire += message.first - mind.last - 1;
  for (let i = 0; i < message.count; i++) {
    mind.last = message.first + i;
    publish(mind.last, 0);
    account.published++;
  }
}

checkAccount(arrive);
