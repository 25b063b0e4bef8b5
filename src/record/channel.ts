/**
 * The channel of a topic in a recording: its schema for other tools, and its definition for replay.
 *
 * @module
 */

import { describedType } from "../described.ts";
import { VringError } from "../errors.ts";
import type { AnyLayout } from "../layout/fields.ts";
import { CDR_HEAD, rosName, toRosMessage } from "../layout/tools/ros_message.ts";
import type { TypeDescription } from "../layout/describe.ts";
import type { MessageType } from "../region/header.ts";
import type { RegionDetails } from "../region/list.ts";
import { foxgloveForm } from "./foxglove.ts";
import type { Channel, Schema } from "./writer.ts";

/** A channel, and the bytes that stand before each of its messages. */
export interface TopicChannel extends Channel {
  readonly prefix: Uint8Array | undefined;
  /** Makes the messages, if they are not the samples; undefined for one that it cannot make. */
  readonly encode?:
    | ((sample: Uint8Array<ArrayBuffer>, timeMs: number) => Uint8Array<ArrayBuffer> | undefined)
    | undefined;
}

/**
 * Makes the channel of a topic from the type, the sizes and the policy that its region states.
 * `many` names the topic with many publishers of which it is one source.
 */
export function channelOf(topic: string, details: RegionDetails, many?: string): TopicChannel {
  const { type, geometry, policy } = details;
  const metadata = {
    "vring.name": many ?? topic,
    ...(many !== undefined && { "vring.publisher": topic.slice(many.length + 1) }),
    "vring.type": type === undefined
      ? ""
      : JSON.stringify({ ...type, hash: type.hash.toString(16) }),
    "vring.options": JSON.stringify({ ...geometry, ...policy }),
  };
  return { topic: `/${topic}`, metadata, ...formOf(type) };
}

/**
 * Makes the channel of a topic in Foxglove's schema, if its samples are images or point clouds; as
 * `channelOf` does if they are not. A channel in that schema cannot be replayed.
 */
export function foxgloveChannelOf(
  topic: string,
  details: RegionDetails,
  many?: string,
): TopicChannel {
  const channel = channelOf(topic, details, many);
  const form = foxgloveForm(layoutOf(details.type));
  if (form === undefined) return channel;
  const { "vring.name": name, ...metadata } = channel.metadata;
  return {
    topic: channel.topic,
    metadata: { ...metadata, "vring.source": name! },
    encoding: "cdr",
    schema: form.schema,
    prefix: undefined,
    encode: form.encode,
  };
}

/** Returns the layout of a stored type; undefined if it has none, or is damaged. */
export function layoutOf(type: MessageType | undefined): AnyLayout | undefined {
  if (type === undefined) return undefined;
  try {
    return describedType(type).layout;
  } catch (error) {
    if (error instanceof VringError || error instanceof TypeError) return undefined; // or of calls
    throw error;
  }
}

function formOf(type: MessageType | undefined): Omit<TopicChannel, "topic" | "metadata"> {
  const plain = (encoding: string, schema?: Schema) => ({ encoding, schema, prefix: undefined });
  if (type === undefined) return plain("application/octet-stream");
  if (type.name === "json") {
    return plain("json", { name: "json", encoding: "jsonschema", data: '{"type":"object"}' });
  }
  if (type.name === "text") return plain("text/plain");
  const { description } = type;
  if (description === undefined || !("struct" in description)) {
    return plain("application/octet-stream");
  }
  try {
    const { layout } = describedType(type);
    const schema = {
      name: rosName(layout!),
      encoding: "ros2msg",
      data: toRosMessage(layout!),
    };
    return { encoding: "cdr", schema, prefix: CDR_HEAD };
  } catch (error) {
    if (!(error instanceof VringError)) throw error;
    return plain("application/octet-stream"); // the description is damaged
  }
}

/** The definition of a recorded topic. */
export interface RecordedTopic {
  readonly name: string;
  /** The name of the publisher, in a topic with many. */
  readonly source: string | undefined;
  readonly type: MessageType | undefined;
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** The bytes before each message that are not part of it. */
  readonly prefixBytes: number;
}

/** Returns the definition of a channel that this package recorded; undefined for any other. */
export function topicOf({ metadata, encoding }: Channel): RecordedTopic | undefined {
  const name = metadata["vring.name"];
  if (name === undefined) return undefined;
  try {
    const stored = JSON.parse(metadata["vring.type"] || "null") as
      | { name: string; hash: string; description?: TypeDescription }
      | null;
    const type = stored === null
      ? undefined
      : { ...stored, hash: BigInt(`0x${stored.hash}`) } as MessageType;
    const options = JSON.parse(metadata["vring.options"] ?? "{}");
    const source = metadata["vring.publisher"];
    return { name, source, type, options, prefixBytes: encoding === "cdr" ? CDR_HEAD.length : 0 };
  } catch {
    throw new VringError(
      `Cannot replay "${name}": its channel has no valid definition; the recording is damaged`,
    );
  }
}
