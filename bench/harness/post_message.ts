/**
 * Deno's own means: messages to a Worker and back, which are copied.
 *
 * @module
 */

import { type BytePlan, promised } from "./byte_side.ts";
import type { Contender } from "./rounds.ts";
import { introduceThread, nextMessage, settledWorker, workerPort } from "./workers.ts";

/** A contender whose Worker runs on this processor. */
export async function onPostMessage(
  plan: BytePlan,
  cpu: number,
  stack: AsyncDisposableStack,
): Promise<Contender> {
  const worker = await settledWorker(import.meta.url, cpu, JSON.stringify(plan));
  stack.defer(() => worker.terminate());
  const message = new Uint8Array(plan.bytes);
  return promised("Deno, postMessage to a Worker", plan, async () => {
    const answer = nextMessage(worker);
    for (let i = 0; i < plan.answerEvery; i++) worker.postMessage(message);
    await answer;
  });
}

const port = workerPort();
if (port !== undefined) {
  const { answerEvery, answerBytes }: BytePlan = JSON.parse(self.name);
  const answer = new Uint8Array(answerBytes);
  let received = 0;
  port.onmessage = () => {
    if (++received % answerEvery === 0) port.postMessage(answer);
  };
  introduceThread(port);
}
