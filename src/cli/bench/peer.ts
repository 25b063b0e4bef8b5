/**
 * The other process of `vring bench`. It reads orders, such as `ring 3000`: the kind of exchange, and how
 * many to answer.
 *
 * @module
 */

import { answer, EXCHANGES, type Side, SOCKET_EXCHANGES, socketSide } from "./exchanges.ts";

/** Answers until standard input ends. */
async function main(prefix: string, path: string | undefined): Promise<void> {
  using stack = new DisposableStack();
  const sides = new Map<string, Side>();
  for (const { name, open } of EXCHANGES) sides.set(name, open(`${prefix}-${name}`, false, stack));
  if (path !== undefined) {
    const connection = await Deno.connect({ transport: "unix", path });
    stack.defer(() => connection.close());
    for (const { name } of SOCKET_EXCHANGES) sides.set(name, socketSide(connection, false, name));
  }
  console.log("ready");
  const all = [...EXCHANGES, ...SOCKET_EXCHANGES];
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const [name, count] = text.trim().split(" ");
    const kind = all.find((kind) => kind.name === name)!;
    await answer(sides.get(kind.name)!, kind, Number(count));
  }
}

if (import.meta.main) await main(Deno.args[0]!, Deno.args[1]);
