/**
 * The official client of NATS, which is the only dependency of this package. It is named here with
 * its version, so that it is found without a configuration, and no other file names it.
 *
 * NATS has a protocol that an application could speak itself, but not its authentication, TLS,
 * clusters and JetStream: the client is kept by the people who make the server.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix
export {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "npm:@nats-io/jetstream@^3.4.0";
// deno-lint-ignore no-import-prefix
export * from "npm:@nats-io/transport-node@^3.4.0";
