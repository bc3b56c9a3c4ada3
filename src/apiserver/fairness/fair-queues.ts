// The seats of one priority level, and who gets the next one: of the flows that wait, the one that has had the least.
// Fair queueing by virtual time: a flow that was idle starts where the others stand, and so cannot save up.

export interface Waiting {
  readonly client: string;
  /** Seats that it takes. */
  readonly width: number;
  /** Called when it has them. */
  start(): void;
}

interface FlowQueue {
  readonly waiting: Waiting[];
  /** What the flow has had, in seats; comparable with that of the others. */
  virtual: number;
}

export interface QueueLimits {
  readonly seats: number;
  readonly queueLength: number;
}

/** Flows that have had something lately; idle ones beyond are forgotten, and begin where the others stand. */
const rememberedFlows = 1024;

export class FairQueues {
  readonly #limits: QueueLimits;
  readonly #flows = new Map<string, FlowQueue>();
  #taken = 0;
  #waiting = 0;
  /** Where a flow begins that was idle. */
  #virtual = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Seats that are taken. */
  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Takes the seats at once when they are free and nobody waits for them. */
  tryTake(client: string, width: number): boolean {
    if (this.#waiting > 0 || !this.#fits(width)) return false;
    this.#take(this.#flow(client), width);
    return true;
  }

  /** False when the queue of the flow is full. */
  enqueue(waiting: Waiting): boolean {
    const flow = this.#flow(waiting.client);
    if (flow.waiting.length >= this.#limits.queueLength) return false;
    if (flow.waiting.length === 0) flow.virtual = Math.max(flow.virtual, this.#virtual);
    flow.waiting.push(waiting);
    this.#waiting += 1;
    return true;
  }

  /** True when it still waited. */
  withdraw(waiting: Waiting): boolean {
    const flow = this.#flows.get(waiting.client);
    const at = flow?.waiting.indexOf(waiting) ?? -1;
    if (flow === undefined || at < 0) return false;
    flow.waiting.splice(at, 1);
    this.#waiting -= 1;
    return true;
  }

  free(width: number): void {
    this.#taken -= width;
  }

  /** Gives the seats that are free to those who wait, in fair order. */
  dispatch(): void {
    for (let flow = this.#next(); flow !== undefined; flow = this.#next()) {
      const [first] = flow.waiting;
      if (first === undefined || !this.#fits(first.width)) return;
      flow.waiting.shift();
      this.#waiting -= 1;
      this.#take(flow, first.width);
      first.start();
    }
  }

  /** A request that is wider than all seats together gets in alone. */
  #fits(width: number): boolean {
    return this.#taken === 0 || this.#taken + width <= this.#limits.seats;
  }

  #take(flow: FlowQueue, width: number): void {
    this.#virtual = Math.max(this.#virtual, flow.virtual);
    flow.virtual = Math.max(flow.virtual, this.#virtual) + width;
    this.#taken += width;
  }

  #next(): FlowQueue | undefined {
    if (this.#waiting === 0) return undefined;
    let least: FlowQueue | undefined;
    for (const flow of this.#flows.values())
      if (flow.waiting.length > 0 && (least === undefined || flow.virtual < least.virtual)) least = flow;
    return least;
  }

  #flow(client: string): FlowQueue {
    const known = this.#flows.get(client);
    if (known !== undefined) return known;
    if (this.#flows.size >= rememberedFlows)
      for (const [name, { waiting }] of this.#flows) if (waiting.length === 0) this.#flows.delete(name);
    const made: FlowQueue = { waiting: [], virtual: this.#virtual };
    this.#flows.set(client, made);
    return made;
  }
}
