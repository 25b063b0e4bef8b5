/**
 * An answer: of the gap, the totals have grown by what was lost before and inside; the
 * rest is lost on the wire.
 *
 * @module
 */

import { checkAccount, type Message, type Mind, type Publish } from "../23_bridge/check.ts";

function arrive(mind: Mind, message: Message, publish: Publish): void {
  const { account } = mind;
  const end = message.first + message.count - 1;
  if (end <= mind.last) return;
  const first = Math.max(message.first, mind.last + 1);
  const before = message.before - account.before;
  const inside = message.inside - account.inside;
  account.wire += first - mind.last - 1 - before - inside;
  account.before += before;
  account.inside += inside;
  mind.last = end;
  for (let number = first; number <= end; number++) {
    if (publish(number, number - mind.published - 1)) {
      account.published++;
      mind.published = number;
    } else account.here++;
  }
}

checkAccount(arrive);
