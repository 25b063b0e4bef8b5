/**
 * Recordings of topics, as MCAP files that other tools open too.
 *
 * @module
 */

export { McapReader, type ReadAt, type RecordedMessage } from "./reader.ts";
export {
  record,
  type RecordOptions,
  type RecordReport,
  type Refusal,
  type TopicAccount,
} from "./recorder.ts";
export { Pace, replay, type ReplayOptions } from "./replay.ts";
export type { Channel, Schema, Sink } from "./writer.ts";
