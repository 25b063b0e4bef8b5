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
export { type LibraryFiles, useLibrary } from "./src/native/load.ts";
export {
  type AnyLayout,
  type ArrayType,
  type BytesType,
  type Copied,
  type Declarations,
  type Field,
  type FieldOptions,
  type FieldType,
  type Flat,
  type InputOf,
  type Layout,
  type LayoutOptions,
  type Scalar,
  type ScalarArrays,
  type ScalarValues,
  type Seen,
  type Stored,
  type TextType,
  type TypeOf,
  type ValueOf,
  type ViewOf,
  type Word,
  type WordOptions,
} from "./src/layout/layout.ts";
export type { Origin } from "./src/origin.ts";
export { MirrorRing, type MirrorRingOptions } from "./src/mirror_ring/mirror_ring.ts";
export { type RegionDetails, type RegionInfo, regions, sweep } from "./src/region/list.ts";
export { observe, type ObserveOptions, type RegionObserver } from "./src/region/region_observer.ts";
export type { LoopOptions, SyncWaitOptions, WaitOptions } from "./src/wait/until.ts";
export { type Waitable, waitAny, waitAnySync } from "./src/wait/any.ts";
export {
  lock,
  type LockDefinition,
  type LockOptions,
  type SemaphoreLock,
} from "./src/shared/semaphore_lock.ts";
export type { Permit } from "./src/shared/permit.ts";
export { type RwLock, rwLock, type RwLockDefinition } from "./src/shared/rw_lock.ts";
export {
  type SharedMemory,
  sharedMemory,
  type SharedMemoryDefinition,
  type SharedMemoryOptions,
  type TypedArrayConstructor,
} from "./src/shared/shared_memory.ts";
export {
  circular,
  type CircularDefinition,
  type CircularOptions,
} from "./src/circular/definition.ts";
export type { CircularBufferWriter } from "./src/circular/writer.ts";
export type { CircularBufferReader, CircularReaderOptions } from "./src/circular/reader.ts";
export type { CircularBufferObserver } from "./src/circular/observer.ts";
export type { CircularObserverOptions, CircularReceiver } from "./src/circular/receiver.ts";
export type { PolledMessage } from "./src/circular/polled.ts";
export type { RingOptions } from "./src/lane/geometry.ts";
export type { ConsumerOptions, RingDefinition, RingHandleOptions } from "./src/lane/definition.ts";
export {
  bytes,
  type Codec,
  json,
  raw,
  type SizedBytes,
  type SizedText,
  type SizeOf,
  text,
} from "./src/codec.ts";
export { array, type ArrayOf, type Struct, struct } from "./src/struct.ts";
export { type DescribedType, describedType } from "./src/described.ts";
export type {
  CallsDescription,
  CodecDescription,
  FieldDescription,
  FieldTypeDescription,
  StructDescription,
  TypeDescription,
} from "./src/layout/describe.ts";
export type { Definition, DefinitionOptions, HandleOptions, OpenMode } from "./src/definition.ts";
export type {
  Bytes,
  Input,
  Message,
  MessageInPlace,
  TakenMessage,
  Type,
  Value,
  View,
} from "./src/message.ts";
export type { Claim, PublishOptions } from "./src/claim.ts";
export type { LossOptions, Receiver, ValuesOptions, ValueStreamOptions } from "./src/receiver.ts";
export type { Counted } from "./src/region/peers.ts";
export type { Properties } from "./src/region/description.ts";
export type { MessageType } from "./src/region/header.ts";
export type { RingHandle } from "./src/lane/handle.ts";
export type { MessageSender, Sender } from "./src/lane/sender.ts";
export type {
  MessageBatch,
  RingMessage,
  ShownMessage,
  TakenRingMessage,
} from "./src/lane/message.ts";
export type { BatchOptions, SyncBatchOptions } from "./src/lane/batch.ts";
export type { MessageReceiver } from "./src/lane/receiver.ts";
export {
  byteRing,
  type ByteRingDefinition,
  type ByteRingOptions,
  spsc,
  type SpscDefinition,
} from "./src/spsc/definition.ts";
export type { ByteConsumer, ByteProducer } from "./src/spsc/bytes.ts";
export type { SpscConsumer } from "./src/spsc/consumer.ts";
export type { SpscProducer } from "./src/spsc/producer.ts";
export { mpsc, type MpscDefinition, type MpscOptions } from "./src/mpsc/definition.ts";
export type { MpscProducerOptions } from "./src/mpsc/mpsc.ts";
export type { FromProducer, MpscConsumer } from "./src/mpsc/consumer.ts";
export type { MpscProducer } from "./src/mpsc/producer.ts";
export { topic, type TopicDefinition } from "./src/vdds/definition.ts";
export type { Loan, Publisher } from "./src/vdds/publisher.ts";
export type { PolledSample, Sample, SampleFacts, TopicMessage } from "./src/vdds/sample.ts";
export type { Subscriber } from "./src/vdds/subscriber.ts";
export type { TopicCounters } from "./src/vdds/topic.ts";
export type { TopicObserver } from "./src/vdds/topic_observer.ts";
export type {
  LoanOptions,
  Policy,
  PublisherOptions,
  SubscriberOptions,
  TopicObserverOptions,
  TopicOptions,
} from "./src/vdds/topic_options.ts";
export { type TopicFacts, type TopicInfo, topics } from "./src/vdds/topics.ts";
export {
  domain,
  type DomainDefinition,
  type DomainHandleOptions,
  type DomainObserverOptions,
  type SlotInfo,
} from "./src/babus/definition.ts";
export type { Domain, SlotHandle, SlotTable, SlotType } from "./src/babus/domain.ts";
export type { SlotOptions } from "./src/babus/geometry.ts";
export type { Slot, SlotClaim } from "./src/babus/slot.ts";
export type { SlotObserver } from "./src/babus/observer.ts";
export type { SlotReader } from "./src/babus/reader.ts";
export type { SlotMessage, SlotPeek } from "./src/babus/history.ts";
export { type AnySlot, Listener, type ListenOptions } from "./src/babus/listener.ts";
export { calls, type CallsDefinition, type CallsOptions } from "./src/calls/definition.ts";
export type { CallServer, HandlingOptions, ServeOptions } from "./src/calls/server.ts";
export type { Handler } from "./src/calls/handling.ts";
export type { Caller } from "./src/calls/in_hand.ts";
export type { CallClient, CallClientOptions } from "./src/calls/client.ts";
