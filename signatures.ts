/**
 * The types that signatures of this package mention and that programs rarely name: options, parts of
 * struct types, descriptions of types, and the bases of handles.
 *
 * @module
 */

export type { LibraryFiles } from "./src/native/load.ts";
export type {
  AnyLayout,
  ArrayType,
  BytesType,
  Copied,
  Declarations,
  Field,
  FieldOptions,
  FieldType,
  Flat,
  InputOf,
  Layout,
  LayoutOptions,
  Scalar,
  ScalarArrays,
  ScalarValues,
  Seen,
  Stored,
  TextType,
  TypeOf,
  ValueOf,
  ViewOf,
  Word,
  WordOptions,
} from "./src/layout/layout.ts";
export type { Origin } from "./src/origin.ts";
export type { LeapfrogRingOptions } from "./src/mirror_ring/leapfrog_ring.ts";
export type { MirrorRingOptions } from "./src/mirror_ring/mirror_ring.ts";
export type { DirectoryOptions, RegionDetails } from "./src/region/list.ts";
export type { ObserveOptions, RegionObserver } from "./src/region/region_observer.ts";
export type { LockOptions } from "./src/shared/semaphore_lock.ts";
export type { SharedMemoryOptions, TypedArrayConstructor } from "./src/shared/shared_memory.ts";
export type { CircularOptions } from "./src/circular/definition.ts";
export type { CircularReaderOptions } from "./src/circular/reader.ts";
export type { CircularObserverOptions, CircularReceiver } from "./src/circular/receiver.ts";
export type { PolledMessage } from "./src/circular/polled.ts";
export type { RingOptions } from "./src/lane/geometry.ts";
export type { ConsumerOptions, RingDefinition, RingHandleOptions } from "./src/lane/definition.ts";
export type { SizedBytes, SizedText, SizeOf } from "./src/codec.ts";
export type { ArrayOf } from "./src/struct.ts";
export type { DescribedType } from "./src/described.ts";
export type {
  CallsDescription,
  CodecDescription,
  FieldDescription,
  FieldTypeDescription,
  StructDescription,
  TypeDescription,
} from "./src/layout/describe.ts";
export type { Definition, DefinitionOptions, HandleOptions, OpenMode } from "./src/definition.ts";
export type { MessageInPlace, ReadOnly, ReadonlyView } from "./src/message.ts";
export type { PublishOptions } from "./src/claim.ts";
export type { LossOptions, Receiver, ValuesOptions, ValueStreamOptions } from "./src/receiver.ts";
export type { Counted } from "./src/region/peers.ts";
export type { Properties } from "./src/region/description.ts";
export type { MessageType } from "./src/region/header.ts";
export type { RingHandle } from "./src/lane/handle.ts";
export type { WindowedRing } from "./src/mirror_ring/windowed_ring.ts";
export type { MessageSender, Sender } from "./src/lane/sender.ts";
export type { ShownMessage, TakenRingMessage } from "./src/lane/message.ts";
export type { BatchOptions, SyncBatchOptions } from "./src/lane/batch.ts";
export type { MessageReceiver } from "./src/lane/receiver.ts";
export type { ByteRingOptions } from "./src/spsc/definition.ts";
export type { MpscOptions } from "./src/mpsc/definition.ts";
export type { MpscProducerOptions } from "./src/mpsc/mpsc.ts";
export type { FromProducer } from "./src/mpsc/consumer.ts";
export type { PolledSample, SampleFacts } from "./src/vdds/sample.ts";
export type { TopicCounters } from "./src/vdds/topic.ts";
export type {
  LoanOptions,
  PublisherOptions,
  SubscriberOptions,
  TopicObserverOptions,
} from "./src/vdds/topic_options.ts";
export type { TopicFacts, TopicInfo } from "./src/vdds/topics.ts";
export type {
  DomainHandleOptions,
  DomainObserverOptions,
  SlotInfo,
} from "./src/babus/definition.ts";
export type { SlotHandle, SlotTable, SlotType } from "./src/babus/domain.ts";
export type { SlotOptions } from "./src/babus/geometry.ts";
export type { SlotClaim } from "./src/babus/slot.ts";
export type { SlotReader } from "./src/babus/reader.ts";
export type { SlotPeek } from "./src/babus/history.ts";
export type { AnySlot, ListenOptions } from "./src/babus/listener.ts";
export type { CallsOptions } from "./src/calls/definition.ts";
export type { HandlingOptions, ServeOptions } from "./src/calls/server.ts";
export type { CallClientOptions, CallHandleOptions } from "./src/calls/client.ts";
