/**
 * Carries topics, slots, streams and calls between machines, over NATS or another network.
 *
 * This sub-path has a dependency, the official client of NATS; the rest of the package has none.
 *
 * @example Export cameras, import what the other machines measure
 * ```ts ignore
 * import { bridge, connectNats } from "@vring/vring/bridge";
 *
 * const end = new AbortController();
 * Deno.addSignalListener("SIGINT", () => end.abort());
 * await using carrier = await connectNats({ servers: "nats://10.0.0.5:4222" });
 * const report = await bridge({
 *   carrier,
 *   host: "rig-1",
 *   realm: "lab",
 *   exports: ["cam/**"],
 *   imports: ["imu/**"],
 *   until: end.signal,
 *   onEvent: console.log,
 * });
 * console.table(report.exports);
 * ```
 *
 * @module
 */

export { bridge, type BridgeEvent, type BridgeOptions, type BridgeReport } from "./bridge.ts";
export type {
  Carrier,
  CarrierEvent,
  Headers,
  Incoming,
  KeepOptions,
  Kept,
  KeptHandler,
  Outgoing,
  Subscription,
} from "./carrier.ts";
export { Loopback, type LoopbackCarrier } from "./loopback.ts";
export { connectNats, type NatsCarrier, type NatsOptions } from "./nats.ts";
export { natsContext, type ReadFile } from "./nats_context.ts";
export { type RemoteOffer, type RemoteRealm, remoteRealm, type SilentHost } from "./presence.ts";
export type { ExportAccount } from "./export.ts";
export type { ImportAccount, Losses } from "./topic_import.ts";
