/**
 * Broken: a client that takes answers for those to its requests in the order in which it asked. A
 * handler that is done with the second one first answers the first with it.
 *
 * @module
 */

import { rpcWorkload } from "../workloads/rpc.ts";

const waiting: PromiseWithResolvers<Uint8Array>[] = [];

export default rpcWorkload({
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
