/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Rings } from "./check.ts";

/** An answer without a mistake. */
const right: Rings = {
  fillSlot: (slot, text) => {
    slot.text = text;
    slot.isFull = true;
  },
  free: (head, tail, capacity) => capacity - ((head - tail) >>> 0),
  hasRoom: (writer, length) => {
    const isFree = () => writer.capacity - ((writer.head - writer.tailSeen) >>> 0) >= length;
    if (isFree()) return true;
    writer.tailSeen = writer.loadTail();
    return isFree();
  },
  readInPlace: (reader, handler) => {
    handler(reader.bytes.subarray(reader.place, reader.place + reader.length));
    reader.storeTail(reader.place + reader.length);
  },
};

import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Rings>[] {
  return [
    {
      mistake: "marks the slot before it is filled",
      answer: {
        ...right,
        ...{
          fillSlot: (slot, text) => {
            slot.isFull = true;
            slot.text = text;
          },
        },
      },
      fails: "1 slots",
    },
    {
      mistake: "never marks the slot",
      answer: { ...right, ...{ fillSlot: (slot, text) => void (slot.text = text) } },
      fails: "1 slots",
    },
    {
      mistake: "counts the used bytes",
      answer: { ...right, ...{ free: (head, tail) => head - tail } },
      fails: "2 positions: the number",
    },
    {
      mistake: "takes a wrapped position for a small one",
      answer: { ...right, ...{ free: (head, tail, capacity) => capacity - (head - tail) } },
      fails: "2 positions: even",
    },
    {
      mistake: "takes the distance as it is without its sign",
      answer: { ...right, ...{ free: (head, tail, capacity) => capacity - Math.abs(head - tail) } },
      fails: "2 positions: even",
    },
    {
      mistake: "never loads the tail",
      answer: { ...right, ...{ hasRoom: (w, n) => w.capacity - (w.head - w.tailSeen) >= n } },
      fails: "3 cached positions: it finds",
    },
    {
      mistake: "loads the tail, and does not remember it",
      answer: { ...right, ...{ hasRoom: (w, n) => w.capacity - (w.head - w.loadTail()) >= n } },
      fails: "3 cached positions: it finds",
    },
    {
      mistake: "compares positions that wrap without >>> 0",
      answer: {
        ...right,
        ...{ // which is right until the head begins again at 0
          hasRoom: (writer, length) => {
            const isFree = () => writer.capacity - (writer.head - writer.tailSeen) >= length;
            if (isFree()) return true;
            writer.tailSeen = writer.loadTail();
            return isFree();
          },
        },
      },
      fails: "3 cached positions: even",
    },
    {
      mistake: "loads the tail each time",
      answer: {
        ...right,
        ...{
          hasRoom: (writer, length) => {
            writer.tailSeen = writer.loadTail();
            return right.hasRoom(writer, length);
          },
        },
      },
      fails: "3 cached positions: it loads",
    },
    {
      mistake: "gives the room back before the handler reads",
      answer: {
        ...right,
        ...{
          readInPlace: (reader, handler) => {
            const end = reader.place + reader.length;
            reader.storeTail(end);
            handler(reader.bytes.subarray(reader.place, end));
          },
        },
      },
      fails: "4 mirrored",
    },
    {
      mistake: "never gives the room back",
      answer: {
        ...right,
        ...{
          readInPlace: (reader, handler) =>
            handler(reader.bytes.subarray(reader.place, reader.place + reader.length)),
        },
      },
      fails: "4 mirrored",
    },
    {
      mistake: "shows a copy of the message",
      answer: {
        ...right,
        readInPlace: (reader, handler) => {
          handler(reader.bytes.slice(reader.place, reader.place + reader.length));
          reader.storeTail(reader.place + reader.length);
        },
      },
      fails: "4 mirrored: the handler sees the message in place",
    },
    {
      mistake: "wraps the positions at the capacity",
      answer: {
        ...right,
        free: (head, tail, capacity) =>
          capacity - (head % capacity - tail % capacity + capacity) % capacity,
      },
      fails: "2 positions: the number",
    },
  ];
}
