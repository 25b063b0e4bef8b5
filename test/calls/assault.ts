/**
 * Calls through corrupted memory. Each must end with its answer, with an error that says what is
 * wrong, or by its timeout.
 *
 * @module
 */

import { ClosedError } from "../../src/errors.ts";
import { CALLS_CLIENT, CALLS_CONTROL, CALLS_PAIR, CALLS_SERVER } from "../../src/calls/calls.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { type Toll, Watch } from "../corruption.ts";
import { answerTo, bytesCalls, type Client, Inside, isAnswer, type Server } from "./scene.ts";

/** A corruption while the first client waits for an answer. */
export type Change =
  /** A word of the control block. */
  | { readonly word: number; readonly value: number }
  /** Number 0 is the length of its message, 1 and 2 are the envelope. */
  | { readonly lane: Lane; readonly number: number; readonly value: number | string };

type Lane = "requests" | "responses";

/** A call that may stay without an answer is over after this. */
const PATIENCE_MS = 10;

/** A client outside the attack gets its answer within this, however slow the machine. */
const LIMIT_MS = 30_000;

/** Where the words of the first server, client and pair are. */
const [SERVER, CLIENT, PAIR] = (["servers", "clients", "pairs"] as const)
  .map((name) => CALLS_CONTROL.fields[name].offset / 4) as [number, number, number];

const [SERVER_WORDS, CLIENT_WORDS, PAIR_WORDS] = [CALLS_SERVER, CALLS_CLIENT, CALLS_PAIR]
  .map(({ size }) => size / 4) as [number, number, number];

/** The words of the control block that mean something, of the first of each party. */
export const MEANT: readonly number[] = [
  0, // the number of servers
  1, // whether a call may run twice
  ...["hint", "bell", "server", "generation", "load"].map((name) =>
    SERVER + wordAt(CALLS_SERVER.fields, name)
  ),
  ...["bell", "client", "generation"].map((name) => CLIENT + wordAt(CALLS_CLIENT.fields, name)),
  ...[0, 64, 128, 192, 256, 320].map((offset) => PAIR + offset / 4), // of two lanes
  ...["adopted", "returned", "broken", "given_up"].map((name) =>
    PAIR + wordAt(CALLS_PAIR.fields, name)
  ),
];

/** Every word of these parties. */
export const EVERY: readonly number[] = [
  [0, SERVER],
  [SERVER, SERVER_WORDS],
  [CLIENT, CLIENT_WORDS],
  [PAIR, PAIR_WORDS],
].flatMap(([from, count]) => Array.from({ length: count! }, (_, i) => from! + i));

function wordAt(
  fields: Readonly<Record<string, { readonly offset: number }>>,
  name: string,
): number {
  return fields[name]!.offset / 4;
}

/** Whether a change spares the words that a server shares with all clients. */
function isOfFirstClient(change: Change): boolean {
  return !("word" in change) || change.word >= CLIENT || wakes(change.word);
}

/** Whether a word only wakes the server up. */
function wakes(word: number): boolean {
  return word === SERVER || word === SERVER + 1;
}

/** Counts the outcomes of calls. */
class CallsWatch extends Watch {
  #about = "";

  constructor() {
    super(
      "CorruptRegionError",
      "LayoutMismatchError", // the words of the definition have changed
      "PeerLostError",
      "RoleTakenError",
      "TimeoutError",
    );
  }

  begin(changes: readonly Change[]): void {
    this.#about = JSON.stringify(changes);
  }

  override complain(text: string): void {
    super.complain(`${this.#about}: ${text}`);
  }

  /** Notes the outcome of a call; returns whether it is the right answer. */
  async call(what: string, client: Client, request: Uint8Array, timeout: number): Promise<boolean> {
    try {
      const right = isAnswer(await client.call(request, { timeout }), request);
      this.count(right ? "answer" : "nonsense");
      return right;
    } catch (error) {
      this.caught(what, error);
      return false;
    }
  }

  open<E extends Disposable>(what: string, stack: DisposableStack, open: () => E): E | undefined {
    try {
      return stack.use(open());
    } catch (error) {
      this.caught(what, error);
      return undefined;
    }
  }
}

/** Serves until it is closed; a client that stored nonsense ends that for a moment. */
async function serve(watch: CallsWatch, server: Server): Promise<void> {
  for (let failures = 0; failures < 10; failures++) {
    try {
      return await server.serve(answerTo);
    } catch (error) {
      if (error instanceof ClosedError) return;
      watch.caught("serving", error);
    }
  }
  watch.complain("serving fails again and again");
}

function apply(inside: Inside, change: Change): void {
  if ("word" in change) return inside.word(change.word).store(change.value);
  const { lane, number, value } = change;
  inside.setNumber(0, lane, { at: 0, number, value: Number(value) });
}

/** Where an assault takes place. */
interface Place {
  readonly name: string;
  /** With two servers, the second one comes once both clients have asked the first one. */
  readonly servers: 1 | 2;
}

/** Two clients ask, some memory is changed, and both ask again. */
async function suffer(watch: CallsWatch, place: Place, changes: readonly Change[]): Promise<void> {
  using stack = new DisposableStack();
  const { name, servers } = place;
  const defined = bytesCalls(name, { clients: 3, servers });
  const server = stack.use(defined.server());
  const victim = stack.use(defined.client());
  const other = stack.use(defined.client({ onPeerGone: "wait" }));
  const inside = stack.use(new Inside(name));
  const isApart = changes.every(isOfFirstClient);
  const limit = isApart ? LIMIT_MS : PATIENCE_MS;
  const calls = [
    watch.call("the first call", victim, payload(1, 100), PATIENCE_MS),
    watch.call("the other's call", other, payload(2, 100), limit),
  ];
  const heads = [0, 1].map((seat) => inside.laneWord(seat, "requests", "head"));
  await until("both have asked", () => heads.every((head) => head.load() > 0));
  const second = servers === 2 ? stack.use(defined.server()) : undefined;
  const servingSecond = second && serve(watch, second);
  const answered = changes.some((change) => !("lane" in change) || change.lane === "responses");
  if (answered) server.tryHandle(answerTo);
  for (const change of changes) apply(inside, change);
  const serving = serve(watch, server);
  const [, served] = await Promise.all(calls);
  await watch.call("the second call", victim, payload(3, 50), PATIENCE_MS);
  const again = await watch.call("the other's next call", other, payload(4, 70), limit);
  if (isApart && !(served && again)) watch.complain("another client was not served on");
  const newcomer = watch.open("a newcomer", stack, () => defined.client());
  if (newcomer !== undefined) {
    const came = await watch.call("a newcomer's call", newcomer, payload(5, 10), limit);
    if (isApart && !came) watch.complain("a newcomer was not served");
  }
  victim.close();
  server.close();
  await serving;
  const next = watch.open("the next server", stack, () => defined.server());
  if (next === undefined) {
    second?.close();
    return await servingSecond;
  }
  const late = watch.open("a late client", stack, () => defined.client());
  const servingNext = serve(watch, next);
  if (late !== undefined) await watch.call("a late call", late, payload(6, 10), PATIENCE_MS);
  next.close();
  second?.close();
  await Promise.all([servingNext, servingSecond]);
}

/** All cases, one after the other, each in a region of its own. */
export async function assault(
  { name, servers }: Place,
  cases: readonly (readonly Change[])[],
): Promise<Toll> {
  const watch = new CallsWatch();
  for (const [i, changes] of cases.entries()) {
    watch.begin(changes);
    await suffer(watch, { name: `${name}.${i}`, servers }, changes);
  }
  return watch;
}

/** How many calls, or servers, an endurance test tries. */
const ATTEMPTS = 150;

/** Calls, or serves, while somebody else changes the memory. */
export async function endure(name: string, role: "server" | "client"): Promise<Toll> {
  const watch = new CallsWatch();
  watch.begin([]);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    using stack = new DisposableStack();
    if (role === "server") {
      const server = watch.open("a server", stack, () => bytesCalls(name).server());
      const signal = AbortSignal.timeout(2 * PATIENCE_MS);
      await server?.serve(answerTo, { signal }).catch((error) => watch.caught("serving", error));
    } else {
      const onPeerGone = attempt % 2 === 0 ? "wait" : "end";
      const client = watch.open("a client", stack, () => bytesCalls(name).client({ onPeerGone }));
      if (client === undefined) continue;
      const requests = [1, 2, 3].map((i) => payload(10 * attempt + i, 100 * i));
      const calls = requests.map((request, i) => {
        return watch.call(`call ${i}`, client, request, PATIENCE_MS);
      });
      await Promise.all(calls);
    }
  }
  return watch;
}
