/**
 * Moves data between Deno processes through shared memory: topics, rings, calls, slots and locks.
 *
 * @module
 */

export {
  ClosedError,
  CorruptRegionError,
  LayoutMismatchError,
  LostError,
  OsError,
  PeerLostError,
  RemoteError,
  RoleTakenError,
  VringError,
} from "./src/errors.ts";
export { useLibrary } from "./src/native/load.ts";
export { LeapfrogRing } from "./src/mirror_ring/leapfrog_ring.ts";
export { MirrorRing } from "./src/mirror_ring/mirror_ring.ts";
export { type RegionInfo, regions, sweep } from "./src/region/list.ts";
export { observe } from "./src/region/region_observer.ts";
export type { LoopOptions, SyncWaitOptions, WaitOptions } from "./src/wait/until.ts";
export { type Waitable, waitAny, waitAnySync } from "./src/wait/any.ts";
export { lock, type LockDefinition, type SemaphoreLock } from "./src/shared/semaphore_lock.ts";
export type { Permit } from "./src/shared/permit.ts";
export { type RwLock, rwLock, type RwLockDefinition } from "./src/shared/rw_lock.ts";
export {
  type SharedMemory,
  sharedMemory,
  type SharedMemoryDefinition,
} from "./src/shared/shared_memory.ts";
export { circular, type CircularDefinition } from "./src/circular/definition.ts";
export type { CircularBufferWriter } from "./src/circular/writer.ts";
export type { CircularBufferReader } from "./src/circular/reader.ts";
export type { CircularBufferObserver } from "./src/circular/observer.ts";
export { bytes, type Codec, json, raw, text } from "./src/codec.ts";
export { array, type Struct, struct } from "./src/struct.ts";
export { describedType } from "./src/described.ts";
export type { Bytes, Input, Message, TakenMessage, Type, Value, View } from "./src/message.ts";
export type { Claim } from "./src/claim.ts";
export type { MessageBatch, RingMessage } from "./src/lane/message.ts";
export {
  byteRing,
  type ByteRingDefinition,
  spsc,
  type SpscDefinition,
} from "./src/spsc/definition.ts";
export type { ByteConsumer, ByteProducer } from "./src/spsc/bytes.ts";
export type { SpscConsumer } from "./src/spsc/consumer.ts";
export type { SpscProducer } from "./src/spsc/producer.ts";
export { mpsc, type MpscDefinition } from "./src/mpsc/definition.ts";
export type { MpscConsumer } from "./src/mpsc/consumer.ts";
export type { MpscProducer } from "./src/mpsc/producer.ts";
export { topic, type TopicDefinition } from "./src/vdds/definition.ts";
export type { Loan, Publisher } from "./src/vdds/publisher.ts";
export type { Sample, TopicMessage } from "./src/vdds/sample.ts";
export type { Subscriber } from "./src/vdds/subscriber.ts";
export type { TopicObserver } from "./src/vdds/topic_observer.ts";
export type { Policy, TopicOptions } from "./src/vdds/topic_options.ts";
export { topics } from "./src/vdds/topics.ts";
export { domain, type DomainDefinition } from "./src/babus/definition.ts";
export type { Domain } from "./src/babus/domain.ts";
export type { Slot } from "./src/babus/slot.ts";
export type { SlotObserver } from "./src/babus/observer.ts";
export type { SlotMessage } from "./src/babus/history.ts";
export { Listener } from "./src/babus/listener.ts";
export { calls, type CallsDefinition } from "./src/calls/definition.ts";
export type { CallServer } from "./src/calls/server.ts";
export type { Handler } from "./src/calls/handling.ts";
export type { Caller } from "./src/calls/in_hand.ts";
export type { CallClient } from "./src/calls/client.ts";
