/**
 * Which bridges a realm has, and what they export: for display only. The liveness of local parties,
 * and what a bridge carries, never depend on it.
 *
 * Each bridge sends a heartbeat every two seconds. One other bridge gets it, by a queue group, so a
 * thousand bridges send and receive a thousand heartbeats, not a million. All of them together
 * know which hosts were heard and when, and tell it to a program that asks.
 *
 * @module
 */

import { checkValue, optionsBy, type Rule } from "../arguments.ts";
import { numberFrom, objectWith, TEXT } from "../tool_rules.ts";
import { isCount } from "../layout/sizes.ts";
import type { Carrier, Incoming, Subscription } from "./carrier.ts";
import { ROOTS, tokenOf } from "./subjects.ts";

/** Something that a bridge exports, as it says to others. */
export interface RemoteOffer {
  /** The machine. */
  readonly host: string;
  /** The kind: "topic", "slot", "mpsc" or "calls". */
  readonly kind: string;
  /** The name there. */
  readonly name: string;
  /** The name of its type. */
  readonly type: string | undefined;
  /** The samples, values, messages or answers that it has sent. */
  readonly sent: number;
}

/** A machine whose bridge was heard and does not answer. */
export interface SilentHost {
  /** The machine. */
  readonly host: string;
  /** The time since its last heartbeat, in milliseconds. */
  readonly agoMs: number;
}

/** The bridges of a realm. */
export interface RemoteRealm {
  /** What the bridges export that answer. */
  readonly offers: readonly RemoteOffer[];
  /** The machines whose bridges have vanished, or are cut off; without those that ended. */
  readonly silent: readonly SilentHost[];
}

const BEAT_MS = 2000;
const LEAST_MS = 200;
const REMEMBERED_MS = 3_600_000;
const HOSTS_MAX = 10_000;

/** The presence of one bridge, and the heartbeats that it has heard. */
export class Presence {
  readonly #carrier: Carrier;
  readonly #realm: string;
  readonly #host: string;
  #beaten = -Infinity;
  readonly #heard = new Map<string, number>(); // when, by host; the latest last

  constructor({ carrier, realm, host }: { carrier: Carrier; realm: string; host: string }) {
    this.#carrier = carrier;
    this.#realm = realm;
    this.#host = host;
  }

  /** Listens to other bridges. */
  *subscribe(): Generator<Subscription> {
    const hear = ({ payload }: Incoming) => this.#hear(hostIn(payload));
    const forget = ({ payload }: Incoming) => void this.#heard.delete(hostIn(payload) ?? "");
    yield this.#carrier.subscribe(toAll(this.#realm, "alive"), hear, { queue: "listeners" });
    yield this.#carrier.subscribe(toAll(this.#realm, "ended"), forget);
  }

  /** Sends heartbeats until it is disposed; then it says that this bridge has ended. */
  begin(): Disposable {
    this.beat();
    const timer = setInterval(() => this.beat(), BEAT_MS);
    const end = () => {
      clearInterval(timer);
      this.#publish("ended");
    };
    return { [Symbol.dispose]: end };
  }

  /** Sends a heartbeat, unless it has just sent one: a bridge that has started wants to hear it. */
  beat(): void {
    const now = performance.now();
    if (now < this.#beaten + LEAST_MS) return;
    this.#beaten = now;
    this.#publish("alive");
  }

  #publish(what: string): void {
    const payload = new TextEncoder().encode(this.#host);
    this.#carrier.publish({ subject: toAll(this.#realm, what), headers: new Map(), payload });
  }

  #hear(host: string | undefined): void {
    if (host === undefined) return;
    const now = performance.now();
    this.#heard.delete(host);
    this.#heard.set(host, now);
    for (const [oldest, time] of this.#heard) {
      if (this.#heard.size <= HOSTS_MAX && now - time < REMEMBERED_MS) break;
      this.#heard.delete(oldest);
    }
  }

  /** Answers a program that asks for the bridges of the realm. */
  answer(subject: string, offers: readonly RemoteOffer[]): void {
    const now = performance.now();
    const heard = Array.from(this.#heard, ([host, time]) => ({ host, agoMs: now - time }));
    const text = JSON.stringify({ host: this.#host, offers, heard });
    const payload = new TextEncoder().encode(text);
    this.#carrier.publish({ subject, headers: new Map(), payload });
  }
}

/** The subject of what concerns all bridges of a realm. */
export function toAll(realm: string, what: string): string {
  return `${ROOTS.bridge}.${tokenOf(realm)}.all.${what}`;
}

/** The rule of an argument that is a carrier. */
export const CARRIER: Rule = {
  ...objectWith("publish", "flush", "subscribe", "request", "requestAll", "onEvent"),
  wanted: "a connection, such as the one from connectNats()",
};

const RULES = { realm: TEXT, waitMs: numberFrom(0, 2 ** 31 - 1) };

/** Lists the bridges of a realm: what those export that answer within `waitMs`, and the others. */
export async function remoteRealm(
  carrier: Carrier,
  options: { realm?: string; waitMs?: number } = {},
): Promise<RemoteRealm> {
  checkValue(CARRIER, "the carrier", carrier, "list bridges");
  const { realm = "default", waitMs = 300 } = optionsBy(options, "list bridges", RULES);
  const subject = toAll(realm, "offers");
  const question = { subject, headers: new Map(), payload: new Uint8Array(0) };
  const answers = (await carrier.requestAll(question, waitMs)).map(answerIn);
  const answered = new Set(answers.map(({ host }) => host));
  const silent = new Map<string, number>();
  for (const { host, agoMs } of answers.flatMap(({ heard }) => heard)) {
    if (!answered.has(host)) silent.set(host, Math.min(agoMs, silent.get(host) ?? Infinity));
  }
  return {
    offers: answers.flatMap(({ offers }) => offers),
    silent: Array.from(silent, ([host, agoMs]) => ({ host, agoMs })),
  };
}

/** Reads the answer of a bridge; one that no bridge gives is empty. */
function answerIn({ payload }: Incoming): {
  readonly host: string;
  readonly offers: RemoteOffer[];
  readonly heard: SilentHost[];
} {
  try {
    const { host, offers, heard } = JSON.parse(new TextDecoder().decode(payload)) as {
      host: string;
      offers: RemoteOffer[];
      heard: SilentHost[];
    };
    return {
      host: String(host),
      offers: offers.map(({ kind, name, type, sent }) => ({
        host: String(host),
        kind: String(kind),
        name: String(name),
        type: type === undefined ? undefined : String(type),
        sent: Number(sent),
      })),
      heard: heard.filter(({ host, agoMs }) => isHost(host) && isCount(Math.floor(agoMs))),
    };
  } catch {
    return { host: "", offers: [], heard: [] };
  }
}

function hostIn(payload: Uint8Array): string | undefined {
  const host = new TextDecoder().decode(payload);
  return isHost(host) ? host : undefined;
}

/** Whether this can be the name of a machine: 1 to 64 printable characters of ASCII. */
export function isHost(host: string): boolean {
  return /^[!-~]{1,64}$/.test(host);
}
