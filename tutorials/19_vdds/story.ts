/**
 * Chapter 19 for the stage: one publisher, many subscribers.
 *
 * @module
 */

import { type Publisher, type Sample, type Subscriber, topic } from "../../mod.ts";
import { bytesPicture, tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { addressOf, camera, framesOf, keeper, mappingOf, messageOf, publishOne } from "./actors.ts";
import { bytesOf, SHAPE, textOf } from "./frames.ts";

/** The story of chapter 19. */
export const story: Story = {
  cast: { camera, keeper },
  steps: () => {
    const here = new Here();
    return [
      ...meet(here),
      ...hold(here),
      ...fallSilent(here),
      ...policies(),
    ];
  },
};

/** This process's ends of the topic, and the frame that it holds. */
class Here {
  subscriber!: Subscriber;
  publisher!: Publisher;
  sample!: Sample;
  /** The bytes of that frame, which the reader keeps after its release. */
  bytes!: Uint8Array;
}

function meet(here: Here): Step[] {
  return [
    {
      title: "A topic",
      text:
        `A vring with a name is a [[topic]]. Every program has the same line for it, its definition,
        which opens nothing. No program has to run in the background.

        This process subscribes, and asks for an error if the publisher dies: \`onPeerGone\`. Then
        another process starts, the camera: see its card. It publishes three frames.`,
      ask: {
        kind: "choice",
        text: "Nobody has made the topic yet. What does the subscriber get?",
        options: [
          {
            text: "The topic: the first handle creates it",
            right: true,
            because:
              "Programs start in any order. Whoever is first creates it, and the others join.",
          },
          {
            text: "An error: only a publisher creates a topic",
            because: "If only a publisher could, the order of starting would matter. The first " +
              "handle of any role creates the topic.",
          },
          {
            text: "Nothing, until some program in the background has made it",
            because:
              "No such program is needed. A topic is a file in /dev/shm, which any program can make.",
          },
        ],
      },
      run: async (scene) => {
        const { name } = scene;
        const frames = scene.run("frames", () => topic(name, { depth: 3, size: 64 }));
        const subscriber = scene.run("subscriber", () => frames.subscriber({ onPeerGone: "end" }));
        here.subscriber = subscriber;
        scene.look(() => subscriber.peers);
        scene.start("camera");
        await scene.until(() => frames.info()!.counters!.published === 3);
        scene.look(() => subscriber.peers);
      },
      after:
        `A peer is a [[handle]] at the other end. Each handle locks a byte of the file, and so they
        count each other.`,
    },
    {
      title: "Nothing is copied",
      text:
        `This is what the camera does for each frame. It borrows room in the topic, a [[loan]], and
        writes there. In each frame it writes at which address it does that.`,
      ask: {
        kind: "choice",
        text: "At which address does this process read the frame?",
        options: [
          {
            text: "At another one: the same page, mapped here",
            right: true,
            because: "Two processes, two addresses, one page, as in chapter 4. Nothing was copied.",
          },
          {
            text: "At the same one",
            because:
              "Each process has addresses of its own. The page is the same, the address is not.",
          },
          {
            text: "In a copy, somewhere in its own memory",
            because:
              "\`receive\` would copy. \`take\` shows the page itself: the kernel lists it as " +
              "shared.",
          },
        ],
      },
      run: (scene) => {
        scene.code(publishOne);
        const { subscriber } = here;
        scene.look(() => {
          here.sample = subscriber.tryTake()!;
        });
        const { bytes } = here.sample;
        here.bytes = bytes;
        scene.look(() => textOf(bytes));
        scene.look(() => mappingOf(bytes));
        showFrame(scene, here);
      },
      after: `To publish a frame of 6 MB takes no longer: only its index goes through rings.`,
    },
  ];
}

function showFrame(scene: Scene, { bytes }: Here): void {
  const address = addressOf(bytes);
  const title = "The first frame, as this process has it";
  scene.show(bytesPicture(bytes, { id: "frame", title, address, length: 32 }));
}

function hold(here: Here): Step[] {
  return [
    {
      title: "Room for three",
      text:
        `We hold the first frame, and two are not taken. The topic has room for three. The camera
        wants to write a fourth: see its card.`,
      ask: {
        kind: "choice",
        text: "What does the camera do?",
        options: [
          {
            text: "It sleeps until we release one",
            right: true,
            because:
              "The policy is \`block\`, unless you choose another: the publisher waits, and " +
              "nothing is lost.",
          },
          {
            text: "It overwrites the first frame, which was taken",
            because:
              "We still read the first frame. No policy ever overwrites a frame that is held.",
          },
          {
            text: "It makes the topic larger",
            because:
              "A topic keeps the size that its definition gives it. So the camera has to wait.",
          },
        ],
      },
      run: (scene) => {
        const { sample } = here;
        const frames = framesOf(scene.name);
        scene.look(() => frames.info()!.counters!.published);
        scene.look(() => textOf(sample.bytes).slice(0, 7));
      },
      after:
        `It has published three, still. The frame does not change while we hold it, however long that is.`,
    },
    {
      title: "Released",
      text:
        `We release the first frame, and keep the array of its bytes. That is a mistake. The camera
        wakes up, and begins frame 4: it writes three bytes, and rests.`,
      ask: {
        kind: "choice",
        text: "What does our array show?",
        options: [
          {
            text: "The first three bytes of frame 4",
            right: true,
            because: "The memory is the camera's again, and our array is still a window to it.",
          },
          {
            text: "Frame 1: we have its bytes",
            because: "We have no copy, only a window to memory that the camera uses again.",
          },
          {
            text: "Nothing: it is detached",
            because:
              "Only closing the handle detaches the array. A release just passes the memory " +
              "on.",
          },
        ],
      },
      run: async (scene) => {
        const { sample, bytes } = here;
        scene.look(() => {
          sample[Symbol.dispose]();
        });
        await scene.until(() => textOf(bytes).startsWith("FRA"));
        scene.look(() => textOf(bytes).slice(0, 7));
        showFrame(scene, here);
      },
      after:
        `So never use the bytes after the release. \`using sample = ...\` releases at the end of the
        block, and \`receive\` makes a copy that is yours.`,
    },
  ];
}

function fallSilent(here: Here): Step[] {
  return [
    {
      title: "The camera falls silent",
      text: `The camera is in the middle of frame 4. Stop it by its card. Or answer, and the
        stage does it. We receive frames 2 and 3, and wait for the next, for 100 ms.`,
      ask: {
        kind: "choice",
        text: "May this process now take the camera's place as the publisher?",
        options: [
          {
            text: "No: a stopped process keeps its role",
            right: true,
            because: "The camera may go on at any moment, in the middle of its frame. Silence " +
              "proves no death.",
          },
          {
            text: "Yes: it has not answered for 100 ms",
            because: "After 100 ms of silence the camera may still go on, and then two would " +
              "publish. A time-out proves no death.",
          },
          {
            text: "Yes: a topic has as many publishers as you like",
            because:
              'A topic has many publishers if its definition says `publishers: "many"`. This ' +
              "one has one at a time.",
          },
        ],
      },
      run: (scene) => {
        scene.signal("camera", "SIGSTOP");
        const { subscriber } = here;
        const { name } = scene;
        scene.look(() => textOf(subscriber.receiveSync()).slice(0, 7));
        scene.look(() => textOf(subscriber.receiveSync()).slice(0, 7));
        scene.look(() => messageOf(() => subscriber.receiveSync({ timeout: 100 })));
        const frames = topic(name, SHAPE);
        scene.look(() => messageOf(() => frames.publisher()));
      },
    },
    {
      title: "Killed in the middle of a frame",
      text: `Kill the camera by its card, or answer. Half of frame 4 is in shared memory.`,
      ask: {
        kind: "choice",
        text: "What does the subscriber get next?",
        options: [
          {
            text: "An error: the publisher is gone",
            right: true,
            because:
              'The subscriber asked for that with `onPeerGone: "end"`. A close ends quietly, ' +
              "and a death throws.",
          },
          {
            text: "Half of frame 4",
            because: "Frame 4 was never published, so no reader's word mentions it.",
          },
          {
            text: "Nothing, for ever",
            because: "To wait for ever is the default. This subscriber asked for an end, with " +
              '`onPeerGone: "end"`.',
          },
        ],
      },
      run: async (scene) => {
        scene.signal("camera", "SIGKILL");
        const { subscriber } = here;
        await scene.until(() => subscriber.peers === 0);
        scene.look(() => messageOf(() => subscriber.receiveSync()));
        scene.look(() => subscriber.peers);
      },
    },
    {
      title: "Somebody else publishes",
      text:
        `The role is free, and this process takes it. The dead camera had borrowed room for frame 4.`,
      ask: {
        kind: "number",
        text: "How many frames fit now, before the publisher has to wait?",
        unit: "frames",
        answer: () => SHAPE.depth,
        right: "The dead camera's loan was published to nobody, so its room is free.",
        often: [{
          number: 2,
          because: "With only 2, the dead camera's room would be lost. But no word mentions it: " +
            "it is free.",
        }],
        otherwise: "There is room for three, and a dead process holds nothing.",
      },
      run: (scene) => {
        const { name } = scene;
        const next = topic(name, SHAPE).subscriber(); // a topic lives as long as it has a member
        here.subscriber.close();
        here.subscriber = next;
        const publisher = scene.run(
          "publisher",
          () => topic(name, { depth: 3, size: 64 }).publisher(),
        );
        here.publisher = publisher;
        scene.look(() => publisher.sequence);
        const sent = [4, 5, 6, 7].map((i) => [i, `${publisher.trySend(bytesOf(`frame ${i}`))}`]);
        scene.show(
          tablePicture("sent", "Four frames, without waiting", [["frame", "trySend"], ...sent]),
        );
      },
      after: `Its numbers continue after 3, because subscribers tell by them what they have had.`,
    },
  ];
}

function policies(): Step[] {
  let got = 0;
  let freed = 0;
  let end: Publisher | undefined;
  const live = (name: string) => topic(`${name}-live`, { ...SHAPE, policy: "dropOldest" });
  return [
    {
      title: "Lose samples, and know it",
      text: `A live picture should be new, even if some are lost. This topic has another [[policy]]:
        \`dropOldest\`. Its publisher never waits. It takes back the oldest frame that nobody has taken.

        It sends a hundred frames, and the subscriber looks afterwards.`,
      ask: {
        kind: "number",
        text: "How many does the subscriber get?",
        unit: "frames",
        answer: () => got,
        right: "The newest three, and in the first of them: 97 lost.",
        often: [
          { number: 100, because: "There is room for three. The publisher did not wait for us." },
          { number: 0, because: "The newest three are there, and nobody has taken them." },
          { number: 1, because: "There is room for three, so the newest three are kept." },
        ],
        otherwise: "The topic has room for three, and the newest three are kept.",
      },
      run: (scene) => {
        const frames = live(scene.name);
        using publisher = frames.publisher();
        using subscriber = frames.subscriber();
        scene.look(() => {
          for (let i = 1; i <= 100; i++) {
            publisher.trySend(bytesOf(`frame ${i}`));
          }
        });
        const rows: (string | number)[][] = [];
        scene.look(() =>
          subscriber.poll(({ bytes, sequence, lost }) => rows.push([textOf(bytes), sequence, lost]))
        );
        got = rows.length;
        scene.show(tablePicture("got", "What it got", [["frame", "sequence", "lost"], ...rows]));
      },
      after:
        `Every gap in the numbers is in \`lost\`. So a program can lose what it must not wait for, and
        still say how much that was.`,
    },
    {
      title: "A reader that keeps everything",
      text:
        `Another process subscribes to that topic, the keeper. It takes three frames, and releases
        none. They are in flight: published, and not released by all. Then the publisher has the next
        one.`,
      ask: {
        kind: "choice",
        text: "The policy is \`dropOldest\`. Does the publisher take one back?",
        options: [
          {
            text: "No: all three are held",
            right: true,
            because: "A frame that is only ready can be dropped. One that is held is being read.",
          },
          {
            text: "Yes: the oldest",
            because: "The keeper may be reading it. No policy touches a frame that is held.",
          },
          {
            text: "Yes, after a time-out",
            because: "No time-out tells a slow reader from a dead one. Held is held.",
          },
        ],
      },
      run: async (scene) => {
        const frames = live(scene.name);
        const publisher = scene.run("publisher", () => frames.publisher());
        end = publisher;
        scene.start("keeper");
        await scene.until(() => publisher.peers === 1);
        await scene.until(() => !publisher.trySend(bytesOf("a frame")));
        scene.look(() => publisher.counters.inFlight);
        scene.look(() => publisher.trySend(bytesOf("the next")));
      },
      after:
        `One hoarder stops the whole topic, without a crash and without a lock. So make a topic deeper
        than what its subscribers hold together.`,
    },
    {
      title: "Kill the keeper",
      text: `Kill the keeper by its card, or answer. It releases nothing: it is dead.`,
      ask: {
        kind: "number",
        text: "How many of its three frames can the publisher use again?",
        unit: "frames",
        answer: () => freed,
        right:
          "The kernel has dropped the keeper's lock. So the publisher clears the dead reader's words.",
        often: [{
          number: 0,
          because:
            "The words still say that the frames are held. But the lock beside them shows that " +
            "the reader is dead.",
        }],
        otherwise: "All: the lock of the keeper shows that it is dead.",
      },
      run: async (scene) => {
        using publisher = end!;
        scene.signal("keeper", "SIGKILL");
        await scene.until(() => publisher.peers === 0);
        const before = publisher.counters.inFlight;
        scene.look(() => publisher.trySend(bytesOf("the next")));
        scene.look(() => publisher.counters.inFlight);
        freed = before - publisher.counters.inFlight;
      },
    },
    {
      title: "A latecomer",
      text: `The first topic gave a new subscriber what was published from then on. This one says
        \`history: 1\`. Two frames are published, and then a subscriber joins.`,
      ask: {
        kind: "choice",
        text: "What does it get?",
        options: [
          {
            text: "Frame 2",
            right: true,
            because:
              "The newest frame is kept for latecomers: a history of 1. A display need not " +
              "wait for the next picture.",
          },
          {
            text: "Both frames",
            because: "Frame 1 is older than the history of 1, and its room is free again.",
          },
          {
            text: "Nothing, until frame 3",
            because: "Without a history, a subscriber gets what is published after it has joined.",
          },
        ],
      },
      run: (scene) => {
        const name = `${scene.name}-late`;
        const frames = scene.run("frames", () => topic(name, { depth: 3, size: 64, history: 1 }));
        using publisher = frames.publisher();
        scene.look(() => [1, 2].map((i) => publisher.trySend(bytesOf(`frame ${i}`))));
        using late = frames.subscriber();
        scene.look(() => textOf(late.tryReceive()));
        scene.look(() => textOf(late.tryReceive()));
      },
      after:
        `In the exercise you write a display: it draws the newest frame, and reports every loss.`,
    },
  ];
}
