/**
 * Chapter 23 for the stage: to another machine.
 *
 * @module
 */

import type { SpscProducer } from "../../mod.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { camera, framesOf, ordersOf, World } from "./network.ts";

/** The story of chapter 23. */
export const story: Story = {
  cast: { camera },
  steps: () => {
    const here = new Here();
    return [...cross(here), ...lose(here), ...keep(here)];
  },
};

/** The machines, and the orders for the camera. */
class Here {
  world!: World;
  orders!: SpscProducer<"u32">;

  /** Lets the camera publish, and waits until it has. */
  async publish(scene: Scene, count: number): Promise<void> {
    const before = published(scene);
    this.orders.sendSync(count);
    await scene.until(() => published(scene) === before + count);
  }

  /** Waits for frames on the far machine, and shows them. */
  async receive(scene: Scene, count: number): Promise<number[]> {
    const rows: (string | number)[][] = [];
    const lost: number[] = [];
    while (rows.length < count) {
      const message = await this.world.subscriber.receive({ timeout: 5000 });
      rows.push([
        message!.value,
        message!.lost,
        `${message!.origin!.host} ${message!.origin!.sequence}`,
      ]);
      lost.push(message!.lost);
    }
    scene.show(tablePicture("got", "What the far machine received", [
      ["frame", "lost", "origin"],
      ...rows.length > 6 ? [rows[0]!, ["...", "", ""], rows.at(-1)!] : rows,
    ]));
    return lost;
  }
}

function published({ name }: Scene): number {
  return framesOf(name).info()?.counters?.published ?? 0;
}

function showAccount(scene: Scene, { world }: Here): void {
  const { published, lost: { before, inside, wire, here } } = world.arrived!;
  const places = [
    ["lost before the near bridge", before],
    ["lost inside it", inside],
    ["lost on the wire", wire],
    ["lost here, at the far topic", here],
  ] as const;
  scene.show(tablePicture("account", "The far bridge's account", [
    ["what became of them", "frames"],
    ["published here", published],
    ...places.filter(([, count]) => count > 0),
  ]));
}

function cross(here: Here): Step[] {
  return [{
    title: "The edge of the machine",
    text:
      `Two processes share a page, because both have it mapped. Another machine cannot map it. So a [[bridge]] on each machine carries topics over a network, as messages.

      Here the network and both bridges are in this process, so that you can cut the cable. The
      camera is another process. It publishes three frames, and we subscribe on the far machine.`,
    ask: {
      kind: "choice",
      text: "What must a program on the far machine do to receive them?",
      options: [
        {
          text: "Subscribe, as ever",
          right: true,
          because: "The far bridge publishes the topic there, with the same type, size and policy.",
        },
        {
          text: "Connect to the network",
          because: "Only the bridges connect to the network. Programs publish and subscribe as " +
            "before.",
        },
        {
          text: "Map the camera's page over the network",
          because: "Memory cannot be mapped across machines. Bridges copy the bytes into messages.",
        },
      ],
    },
    run: async (scene) => {
      const { name } = scene;
      here.orders = ordersOf(name).producer();
      scene.start("camera");
      await scene.until(() => framesOf(name).info()?.publishers === 1);
      here.world = new World(name);
      const { world } = here;
      await world.begin();
      await scene.until(() => framesOf(name).info()!.subscribers === 1);
      await here.publish(scene, 3);
      await here.receive(scene, 3);
    },
    after: `The [[origin]] says who published a frame first, and under which number.`,
  }];
}

function lose(here: Here): Step[] {
  let lost = 0;
  let place = "";
  return [
    {
      title: "Cut the near cable",
      text:
        `The near machine loses its network. The camera publishes ten frames. Then the cable is plugged
        in again, and it publishes one more.`,
      ask: {
        kind: "number",
        text: "The far machine receives the last one. How many does its \`lost\` say?",
        unit: "frames",
        answer: () => lost,
        right: "The near bridge took ten, could not send them, and said so with the next one.",
        often: [
          { number: 0, because: "Nothing keeps them: the camera must not wait for a network." },
          { number: 1, because: "Ten were published while the cable was out, and none was kept." },
        ],
        otherwise: "Ten were published while the cable was out.",
      },
      run: async (scene) => {
        const { world } = here;
        scene.look(() => {
          world.near.setConnected(false);
        });
        await here.publish(scene, 10);
        await scene.until(() => world.sent!.inside === 10);
        world.near.setConnected(true);
        await here.publish(scene, 1);
        lost = (await here.receive(scene, 1))[0]!;
        showAccount(scene, here);
      },
      after:
        `The near bridge counts what it takes and cannot send: lost inside. The count travels with the
        next frame.`,
    },
    {
      title: "Cut the far cable",
      text:
        `Now the far machine loses its network. The near bridge does not notice. It sends four frames
        into the void. Then the far cable is back, and a fifth frame follows.`,
      ask: {
        kind: "choice",
        text: "Nobody tells the far bridge of the four. Does it know?",
        options: [
          {
            text: "Yes: their numbers are missing",
            right: true,
            because: "Each message has the number of its first frame. The gap is lost on the wire.",
          },
          {
            text: "No: what never arrived cannot be counted",
            because:
              "A loss can be counted afterwards: the next number shows how many are missing " +
              "before it.",
          },
          {
            text: "Yes: the near bridge sends them again",
            because:
              "The near bridge keeps nothing, and waits for no answer. It sends each frame " +
              "once.",
          },
        ],
      },
      run: async (scene) => {
        const { world } = here;
        const { sent } = world.sent!;
        scene.look(() => {
          world.far.setConnected(false);
        });
        await here.publish(scene, 4);
        await scene.until(() => world.sent!.sent === sent + 4);
        world.far.setConnected(true);
        await here.publish(scene, 1);
        await here.receive(scene, 1);
        showAccount(scene, here);
        place = `${world.arrived!.lost.wire}`;
      },
      after: () =>
        `${place} on the wire. And if no frame ever follows? Then the near bridge sends a mark with
        the next number, a quarter of a second later.`,
    },
    {
      title: "The account",
      text:
        `Each frame arrives at most once, and each that does not arrive is counted in one place: before
        the bridge, inside it, on the wire, or here, at the far topic.`,
      ask: {
        kind: "choice",
        text:
          "The camera has published 19 frames, through two cuts. Is each of them in the account?",
        options: [
          {
            text: "Yes, exactly once",
            right: true,
            because: "Those that arrived and those that were lost, by place, are 19 together.",
          },
          {
            text: "No: nobody saw those that were lost on the wire",
            because: "The far bridge saw the gap in the numbers, and counted it.",
          },
          {
            text: "Some of them twice: both bridges count losses",
            because: "Each bridge counts only what is lost at its own place.",
          },
        ],
      },
      run: (scene) => {
        const { published: there, lost } = here.world.arrived!;
        scene.look(() => there + lost.before + lost.inside + lost.wire + lost.here);
        scene.look(() => published(scene));
        showAccount(scene, here);
      },
    },
  ];
}

function keep(here: Here): Step[] {
  let lost = 0;
  return [
    {
      title: "Reliable",
      text:
        `For a log, a loss is not enough to be counted. With \`--reliable\` on both sides the network's
        server keeps each message until the far bridge has published it.

        We start both bridges anew, like that. The far cable is cut, ten frames are published, and the
        cable is back.`,
      ask: {
        kind: "number",
        text: "How many of the ten are lost?",
        unit: "frames",
        answer: () => lost,
        right: "The server has kept them, and the far bridge takes them when it is back.",
        often: [{
          number: 10,
          because: "Without `--reliable` they were lost. Now the server keeps them.",
        }],
        otherwise: "None: the server keeps each message until it is acknowledged.",
      },
      run: async (scene) => {
        await here.world.close();
        const world = here.world = new World(scene.name, true);
        await world.begin();
        await scene.until(() => framesOf(scene.name).info()!.subscribers === 1);
        world.far.setConnected(false);
        await here.publish(scene, 10);
        world.far.setConnected(true);
        lost = (await here.receive(scene, 10)).reduce((sum, each) => sum + each, 0);
        showAccount(scene, here);
      },
      after:
        `The price: when the server is full or away, the bridge takes no more frames. A topic with the
        policy \`block\` then makes the camera wait.`,
    },
    {
      title: "The far bridge is replaced",
      text:
        `The far bridge ends. Five frames are published. Then another far bridge starts. It may get
        messages that the first one had published already, but not acknowledged.`,
      ask: {
        kind: "choice",
        text: "How does it know which frames the far topic has had?",
        options: [
          {
            text: "It looks at the last sample in the far topic",
            right: true,
            because:
              "The last sample has its `origin`, with the number. Lower numbers are dropped " +
              "as duplicates.",
          },
          {
            text: "It keeps a list in a file",
            because: "No file is needed: the far topic itself has the last number, in `origin`.",
          },
          {
            text: "The server sends each message exactly once",
            because:
              "No network can promise that. A message comes again if its acknowledgement is lost.",
          },
        ],
      },
      run: async (scene) => {
        const { world } = here;
        await world.endFar();
        await here.publish(scene, 5);
        await world.beginFar();
        const losses = await here.receive(scene, 5);
        scene.look(() => losses.every((lost) => lost === 0));
      },
      after: `At least once on the wire, and once at the far topic. A real bridge is a command:
        \`vring bridge nats --export 'cam/**'\`; see docs/bridge.md.

        In the exercise you write the far bridge's account.`,
    },
  ];
}
