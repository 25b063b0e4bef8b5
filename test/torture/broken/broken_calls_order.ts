/**
 * Broken: a client that takes answers for those to its requests in the order in which it asked. A
 * handler that is done with the second one first answers the first with it.
 *
 * @module
 */

import { callsWorkload } from "../workloads/calls.ts";

const waiting: PromiseWithResolvers<Uint8Array>[] = [];

export default callsWorkload({
  async call(client, request, options) {
    const own = Promise.withResolvers<Uint8Array>();
    waiting.push(own);
    client.call(request, options).then(
      (answer) => waiting.shift()!.resolve(answer),
      (error) => waiting.splice(Math.max(0, waiting.indexOf(own)), 1)[0]!.reject(error),
    );
    return await own.promise;
  },
});
