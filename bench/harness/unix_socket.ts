/**
 * What Deno has without us: messages over a Unix socket, as the peer to compare with.
 *
 * @module
 */

import { type BytePlan, ByteSide, type Carrier, promised } from "./byte_side.ts";
import type { Peer } from "./peer.ts";
import type { Contender } from "./rounds.ts";

/** How two talk over a socket. */
export interface Talk {
  /** The peer's handler that connects. */
  readonly open: string;
  /** The peer's handler that answers. */
  readonly answer: string;
  /** The channel of the bytes on this side. */
  wrap(connection: Deno.Conn): Carrier;
}

/** With {@linkcode socketHandlers} on the other side. */
const PLAINLY: Talk = {
  open: "socketOpen",
  answer: "socket",
  wrap: (connection) => connection,
};

/** A contender whose peer has these handlers. */
export async function onSocket(
  plan: BytePlan,
  peer: Peer,
  talk: Talk = PLAINLY,
): Promise<Contender> {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/socket`;
  using listener = Deno.listen({ transport: "unix", path });
  await peer.begin(talk.open, { ...plan, path });
  const side = new ByteSide(talk.wrap(await listener.accept()), plan.bytes);
  await peer.end();
  Deno.removeSync(folder, { recursive: true });
  const { name, round } = promised("Deno, Unix socket", plan, () => side.ask(plan));
  return {
    name,
    async round() {
      await peer.begin(talk.answer, plan.answers);
      const measured = await round();
      await peer.end();
      return measured;
    },
  };
}

/** The peer's handlers. */
export function socketHandlers() {
  let side: ByteSide;
  let plan: BytePlan;
  return {
    async socketOpen(order: BytePlan & { path: string }): Promise<void> {
      plan = order;
      const connection = await Deno.connect({ transport: "unix", path: order.path });
      side = new ByteSide(connection, order.answerBytes);
    },
    async socket(answers: number): Promise<void> {
      for (let i = 0; i < answers; i++) {
        await side.receive(plan.bytes * plan.answerEvery);
        await side.send(1);
      }
    },
  };
}
