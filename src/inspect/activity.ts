/**
 * The activity of a region: its parties, the messages that wait or were lost, and its sleepers.
 *
 * A region's counters and locks tell all this, and reading them changes, slows and wakes nothing:
 * the file is read with `read(2)`, not mapped, and roles are tested, not taken (RegionObserver).
 * Parties store while it is read, so numbers may be a message apart. Every number is an assertion of
 * the peers that wrote it: a distance that cannot be is shown as undefined, and never used as an
 * offset.
 *
 * Each kind of region has one function here, from its control block to an `Activity`. Rates are
 * the difference of two activities (rates.ts).
 *
 * @module
 */

import { SLOT, SLOT_CONTROL } from "../babus/slot_words.ts";
import { SEATS } from "../babus/write_lock.ts";
import { CALLS_CONTROL, CALLS_REGION, MOST_SERVERS } from "../calls/calls.ts";
import {
  CIRCULAR_BUFFER,
  CIRCULAR_BUFFER_CONTROL,
  HEAD_BYTES,
  UNIT,
} from "../circular/circular_buffer.ts";
import type { LANE } from "../lane/lane.ts";
import type { AnyLayout } from "../layout/fields.ts";
import { isCount } from "../layout/sizes.ts";
import { corrupt } from "../memory/corrupt.ts";
import { MPSC, MPSC_CONTROL } from "../mpsc/mpsc.ts";
import type { RegionObserver } from "../region/region_observer.ts";
import { SeatState } from "../region/seats.ts";
import { RW_LOCK, RW_LOCK_CONTROL } from "../shared/rw_queue.ts";
import { SPSC, SPSC_CONTROL } from "../spsc/spsc.ts";
import { planIn } from "../vdds/topic.ts";
import { readerRole, TOPIC, WRITER_ROLE } from "../vdds/vring.ts";
import {
  MARK,
  State,
  stateOf,
  TOPIC_CONTROL,
  TOPIC_DESCRIPTOR,
  TOPIC_READER,
  type TopicOffsets,
  wordOffset,
} from "../vdds/vring_layout.ts";

/** Whether a party lives, as its lock and its state word show. */
export type Presence = "alive" | "dead" | "left" | "lost" | "never";

/** A party of a region: the holder of a role, or the last one. */
export interface Party {
  /** Its role, such as `producer`. */
  readonly role: string;
  /** The number of its seat among those of the same role. */
  readonly seat: number;
  /** The number of the role in the region; the holder locks its byte. */
  readonly number: number;
  readonly presence: Presence;
}

/** Messages on their way from one party to others. */
export interface Flow {
  /** The parties, such as `producer 3`; empty if there is only one flow. */
  readonly label: string;
  /** The number of messages so far; undefined if it cannot be known. */
  readonly messages: number | undefined;
  /** The bytes so far, modulo `bytesWrap`; undefined if nobody counts them. */
  readonly bytes: number | undefined;
  readonly bytesWrap: number;
  /** What waits to be received: bytes of rings, samples of topics; undefined for the latest value. */
  readonly backlog: number | undefined;
  /** The most that can wait. */
  readonly room: number | undefined;
  readonly unit: "bytes" | "samples";
  /** When the oldest waiting sample was published, in ms since 1970; undefined without samples. */
  readonly oldest?: number | undefined;
}

/** The activity of a region at one moment. */
export interface Activity {
  readonly parties: readonly Party[];
  readonly flows: readonly Flow[];
  /** The messages that receivers have lost, if the region counts them. */
  readonly lost: number | undefined;
  /** The number of bells that are up: parties that sleep, or are about to. */
  readonly sleepers: number;
  /** The number of times that sleepers were woken so far, modulo 2^31 for each bell. */
  readonly wakeUps: number;
}

/** Reads the activity of a region; undefined for a kind, or a version, that this code does not know. */
export function activityOf(observer: RegionObserver): Activity | undefined {
  return controlLayoutOf(observer) && KINDS[observer.kind]!.read(observer);
}

/** Returns the layout of a region's control block; undefined for one that this code does not know. */
export function controlLayoutOf({ kind, details }: RegionObserver): AnyLayout | undefined {
  const layout = KINDS[kind]?.layout;
  return layout?.hash === details.abiHash ? layout : undefined;
}

/** Whether regions of a kind count what passes through them. */
export function hasActivity(kind: string): boolean {
  return KINDS[kind] !== undefined;
}

/** Copies data of a region; throws a CorruptRegionError if a peer has shortened its file. */
export function dataOf(
  observer: RegionObserver,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = observer.read(offset, length);
  if (bytes.length === length) return bytes;
  throw corrupt(`${observer.kind} "${observer.name}"`, `its data ends at ${offset + bytes.length}`);
}

/** The reader of each kind of region, by the layout that it can read. */
const KINDS: Readonly<
  Record<
    string,
    { readonly layout: AnyLayout; read(observer: RegionObserver): Activity | undefined }
  >
> = {
  [SPSC.name]: { layout: SPSC_CONTROL, read: spscActivity },
  [MPSC.name]: { layout: MPSC_CONTROL, read: mpscActivity },
  [CALLS_REGION.name]: { layout: CALLS_CONTROL, read: callsActivity },
  [CIRCULAR_BUFFER.name]: { layout: CIRCULAR_BUFFER_CONTROL, read: circularActivity },
  [TOPIC.name]: { layout: TOPIC_CONTROL, read: topicActivity },
  [SLOT.name]: { layout: SLOT_CONTROL, read: slotActivity },
  [RW_LOCK.name]: { layout: RW_LOCK_CONTROL, read: rwLockActivity },
};

// ---- parties ----

/** Describes the party of a role with a state word. */
function party(
  observer: RegionObserver,
  role: string,
  number: number,
  state: number,
  seat = 0,
): Party {
  return { role, seat, number, presence: presenceOf(observer.isHeld(number), state) };
}

function presenceOf(isHeld: boolean, state: number): Presence {
  if (isHeld) return "alive";
  if (state === SeatState.open) return "dead";
  if (state === SeatState.closed) return "left";
  return state === SeatState.lost ? "lost" : "never";
}

const isKnown = ({ presence }: Party) => presence !== "never";

// ---- bells ----

interface Bells {
  sleepers: number;
  wakeUps: number;
}

/** Adds up the bells among the values of a control block, at any depth. */
function bellsIn(value: unknown, sum: Bells = { sleepers: 0, wakeUps: 0 }): Bells {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return sum;
  for (const [name, field] of Object.entries(value)) {
    if (typeof field === "number" && /(^|_)bell$/.test(name)) {
      sum.sleepers += field & 1;
      sum.wakeUps += field >>> 1;
    } else bellsIn(field, sum);
  }
  return sum;
}

// ---- lanes ----

type LaneValues = ReturnType<typeof LANE.read>;

/** Describes a lane. A receiver counts the messages that it released (lane.ts, I3). */
function laneFlow(label: string, { head, tail, counts }: LaneValues, room: number): Flow {
  const backlog = (head - tail) >>> 0;
  const pair = counts[0] === tail ? 1 : counts[2] === tail ? 3 : undefined;
  const messages = pair === undefined ? undefined : counts[pair];
  return {
    label,
    messages: head === 0 && tail === 0 ? 0 : messages,
    bytes: head,
    bytesWrap: 2 ** 32,
    backlog: backlog <= room ? backlog : undefined,
    room,
    unit: "bytes",
  };
}

function spscActivity(observer: RegionObserver): Activity {
  const control = observer.control(SPSC_CONTROL);
  return {
    parties: [
      party(observer, "producer", 0, control.producer),
      party(observer, "consumer", 1, control.consumer),
    ],
    flows: [laneFlow("", control.lane, observer.details.dataBytes)],
    lost: undefined,
    ...bellsIn(control),
  };
}

function mpscActivity(observer: RegionObserver): Activity {
  const control = observer.control(MPSC_CONTROL);
  const { producers = 1 } = observer.details.geometry ?? {};
  const count = Math.min(Number(producers), control.seats.length);
  const room = Math.floor(observer.details.dataBytes / count);
  const all = control.seats.slice(0, count).map((seat, id) => ({
    party: party(observer, "producer", 1 + id, seat.producer, id),
    flow: laneFlow(`producer ${id}`, seat.lane, room),
  })).filter(({ party }) => isKnown(party));
  return {
    parties: [party(observer, "consumer", 0, control.consumer), ...all.map(({ party }) => party)],
    flows: all.map(({ flow }) => flow),
    lost: undefined,
    ...bellsIn(control),
  };
}

function callsActivity(observer: RegionObserver): Activity | undefined {
  const control = observer.control(CALLS_CONTROL);
  const { clients = 0 } = observer.details.geometry ?? {};
  const servers = control.server_seats;
  const pairs = Number(clients) * servers;
  if (!isCount(pairs, control.pairs.length) || pairs === 0) return undefined;
  const room = Math.floor(observer.details.dataBytes / pairs / 2);
  const parties = [
    ...control.servers.slice(0, servers)
      .map(({ server }, k) => party(observer, "server", k, server, k)),
    ...control.clients.slice(0, Number(clients))
      .map(({ client }, k) => party(observer, "client", MOST_SERVERS + k, client, k)),
  ].filter(isKnown);
  const flows = control.pairs.slice(0, pairs).flatMap(({ requests, responses }, k) => {
    if (requests.head === 0 && responses.head === 0) return [];
    const [server, client] = [Math.floor(k / Number(clients)), k % Number(clients)];
    return [
      laneFlow(`client ${client} to server ${server}`, requests, room),
      laneFlow(`server ${server} to client ${client}`, responses, room),
    ];
  });
  return { parties, flows, lost: undefined, ...bellsIn(control) };
}

// ---- circular buffers and slots ----

function circularActivity(observer: RegionObserver): Activity | undefined {
  const control = observer.control(CIRCULAR_BUFFER_CONTROL);
  const capacity = observer.details.dataBytes;
  if (capacity < HEAD_BYTES) return undefined;
  const [oldest, published] = [Number(control.oldest), Number(control.published)];
  const head = headAt(observer, published * UNIT % capacity);
  const kept = (published - oldest) * UNIT;
  return {
    parties: [party(observer, "writer", 0, control.state)],
    flows: [{
      label: "",
      messages: head[0],
      bytes: head[1],
      bytesWrap: 2 ** 52,
      backlog: isCount(kept, capacity) ? kept : undefined,
      room: capacity,
      unit: "bytes",
    }],
    lost: undefined,
    ...bellsIn(control),
  };
}

/** Reads the numbers of a head, which may run past the end of the data and begin again there. */
function headAt(observer: RegionObserver, offset: number): (number | undefined)[] {
  const bytes = new Uint8Array(HEAD_BYTES);
  const length = Math.min(HEAD_BYTES, observer.details.dataBytes - offset);
  bytes.set(dataOf(observer, offset, length));
  bytes.set(dataOf(observer, 0, HEAD_BYTES - length), length);
  return Array.from(
    new Float64Array(bytes.buffer),
    (value) => isCount(value, Number.MAX_SAFE_INTEGER) ? value : undefined,
  );
}

function slotActivity(observer: RegionObserver): Activity {
  const control = observer.control(SLOT_CONTROL);
  const owner = control.owner;
  return {
    parties: owner === 0 || owner > SEATS
      ? []
      : [party(observer, "lock holder", owner - 1, SeatState.open, owner - 1)],
    flows: [{
      label: "",
      messages: Number(control.published),
      bytes: undefined,
      bytesWrap: 0,
      backlog: undefined,
      room: undefined,
      unit: "samples",
    }],
    lost: undefined,
    ...bellsIn(control),
  };
}

// ---- topics ----

function topicActivity(observer: RegionObserver): Activity | undefined {
  const bytes = observer.controlBytes(TOPIC_CONTROL);
  const control = TOPIC_CONTROL.read(bytes);
  const plan = planIn(bytes, observer.details.dataBytes);
  if (plan === undefined) return undefined;
  const rows = Math.min(control.rows, plan.readers);
  const descriptors = descriptorsIn(observer, plan);
  const readers = Array.from({ length: rows }, (_, k) => {
    const at = plan.readersAt + k * TOPIC_READER.size;
    return TOPIC_READER.read(dataOf(observer, at, TOPIC_READER.size));
  });
  const seats = readers.map(({ online }, k) =>
    party(observer, "subscriber", readerRole(k), online ? SeatState.open : SeatState.never, k)
  );
  const bells = bellsIn(readers, bellsIn(control));
  const subscribers = seats.filter(isKnown);
  const flow = (label: string, waiting?: readonly Descriptor[]): Flow => ({
    label,
    messages: control.published,
    bytes: undefined,
    bytesWrap: 0,
    backlog: waiting?.length,
    room: plan.depth,
    unit: "samples",
    ...waiting && waiting.length > 0 && { oldest: Math.min(...waiting.map(({ time }) => time)) },
  });
  const waiting = (seat: number) =>
    descriptors.filter(({ words }) => stateOf(words[seat]!) === State.ready);
  return {
    parties: [party(observer, "publisher", WRITER_ROLE, control.writer), ...subscribers],
    flows: subscribers.length === 0
      ? [flow("")]
      : subscribers.map(({ seat }) => flow(`subscriber ${seat}`, waiting(seat))),
    lost: control.dropped,
    ...bells,
  };
}

/** A sample in memory. */
interface Descriptor {
  readonly time: number;
  readonly length: number;
  /** The number of the sample; 0 if the writer has it. */
  readonly sequence: number;
  /** The words of the readers. */
  readonly words: Uint32Array;
}

function descriptorsIn(observer: RegionObserver, plan: TopicOffsets): Descriptor[] {
  const { depth, readers, descriptorBytes, descriptorsAt } = plan;
  const { time, length, sequence } = TOPIC_DESCRIPTOR.fields;
  const bytes = dataOf(observer, descriptorsAt, depth * descriptorBytes);
  const data = new DataView(bytes.buffer);
  return Array.from({ length: Math.floor(bytes.length / descriptorBytes) }, (_, d) => {
    const at = d * descriptorBytes;
    return {
      time: data.getFloat64(at + time.offset, true),
      length: data.getFloat64(at + length.offset, true) % MARK,
      sequence: data.getFloat64(at + sequence.offset, true),
      words: new Uint32Array(bytes.buffer, at + wordOffset(0), readers),
    };
  });
}

// ---- locks ----

function rwLockActivity(observer: RegionObserver): Activity {
  const control = observer.control(RW_LOCK_CONTROL);
  const used = Math.min(control.seats, control.rows.length);
  const parties = control.rows.slice(0, used).flatMap(({ turn }, seat): Party[] => {
    const want = Number(turn % 4n);
    const role = ["", "reader", "waiting writer", "writer"][want]!;
    const presence = observer.isHeld(seat) ? "alive" : "dead";
    return want === 0 ? [] : [{ role, seat, number: seat, presence }];
  });
  return { parties, flows: [], lost: undefined, ...bellsIn(control) };
}

/** The bytes of the samples that a topic describes now, on average; undefined before the first. */
export function meanSampleBytes(observer: RegionObserver): number | undefined {
  const bytes = observer.controlBytes(TOPIC_CONTROL);
  const plan = planIn(bytes, observer.details.dataBytes);
  if (plan === undefined) return undefined;
  const lengths = descriptorsIn(observer, plan)
    .filter(({ sequence, length }) => sequence !== 0 && isCount(length, plan.sampleBytes))
    .map(({ length }) => length);
  return lengths.length === 0 ? undefined : lengths.reduce((a, b) => a + b) / lengths.length;
}
