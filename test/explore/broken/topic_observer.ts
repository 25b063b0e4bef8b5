/**
 * A topic under cursor, beside one whose writer does not invalidate what it takes, and one whose
 * observer does not look again.
 *
 * @module
 */

import { copyIn } from "../../../src/memory/word.ts";
import { TopicCursor } from "../../../src/vdds/cursor.ts";
import { topic } from "../../../src/vdds/definition.ts";
import type { VRing } from "../../../src/vdds/vring.ts";
import { VRingWriter } from "../../../src/vdds/vring_writer.ts";
import { messageOf, pattern } from "../scenario.ts";

const LENGTH = 8;
const HIGHEST = 8;

/** Right: as the shipped ones. */
export class ObservedTopic {
  open(): VRing {
    const options = { depth: 2, size: LENGTH, subscribers: 1, persist: true };
    return topic("topic", options).openRing();
  }

  protected writerOf(ring: VRing): VRingWriter {
    return new VRingWriter(ring, { dropsOldest: true, history: 0 });
  }

  protected cursorOf(ring: VRing): TopicCursor {
    return new TopicCursor(ring, 2);
  }

  /** Publishes samples up to this number, which their bytes say. */
  write(upTo: number): void {
    const ring = this.open();
    const writer = this.writerOf(ring);
    while (writer.sequence < upTo && writer.stock()) {
      const d = writer.take(LENGTH);
      copyIn(
        ring.region.mapping,
        ring.descriptors.sampleAt(d),
        pattern(LENGTH, writer.sequence + 1),
      );
      writer.publish(d, LENGTH);
    }
  }

  /** Returns the samples of so many looks; 0 for one whose bytes say another number. */
  observe(looks: number): number[] {
    const cursor = this.cursorOf(this.open());
    const numbers: number[] = [];
    for (let i = 0; i < looks; i++) {
      const sample = cursor.take((length) => new Uint8Array(length));
      if (sample === undefined) continue;
      const isWhole = messageOf(sample.bytes, HIGHEST) === sample.sequence;
      numbers.push(isWhole ? sample.sequence : 0);
    }
    return numbers;
  }
}

/** Broken: a loan is filled under the number of the sample that was there. */
export class NeverInvalidates extends ObservedTopic {
  protected override writerOf(ring: VRing): VRingWriter {
    ring.descriptors.invalidate = () => {};
    ring.descriptors.invalidateSoon = () => {};
    return super.writerOf(ring);
  }
}

/** Broken: believes that the sample still is the one that it found before the copy. */
export class NeverLooksAgain extends ObservedTopic {
  protected override cursorOf(ring: VRing): TopicCursor {
    ring.descriptors.isStill = () => true;
    return super.cursorOf(ring);
  }
}
