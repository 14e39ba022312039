import { isUnavailable } from "./errors.ts";

/**
 * Turns calls that wait at the same moment into one call for many: while a batch is on its way to Postgres, the next one
 * gathers, so batches grow with the load and a lone call waits for nothing. No timers. Measured on 2 cores, durable:
 * 6,800 decisions a second with one call each, 20,000 and more in batches.
 */
export interface Batcher<Item, Outcome> {
  /** Resolves with the item's own outcome. Rejects at once with `QueueFull` or `BatcherStopped`, later with what `run` threw. */
  submit(item: Item): Promise<Outcome>;
  /** Items waiting and batches in flight, for metrics. */
  load(): BatcherLoad;
  /** Refuses new items, finishes what waits; after `deadlineMs` the items still waiting reject with `BatcherStopped`. */
  stop(options: { readonly deadlineMs: number }): Promise<void>;
}

/** How many batches may be in flight at once. Batchers that share lanes take turns, so that each gathers more items meanwhile. */
export interface Lanes {
  readonly max: number;
  /** @see LaneOptions.extraLaneItemsMin */
  readonly extraLaneItemsMin: number;
  /** @see LaneOptions.patienceMs */
  readonly patienceMs: number;
  busy: number;
  /** Of the batches in flight, those that are not of patient items alone; see `BatcherOptions.isPatient`. */
  busyForImpatient: number;
  /** In how many of the batches in flight a line has items; see `BatcherOptions.lineOf`. */
  readonly linesInFlight: Map<number, number>;
  /** The one that has used a lane last looks last. */
  readonly users: LaneUser[];
}

/** A batcher, as the others of its lanes see it. */
export interface LaneUser {
  /** Looks whether there is something for a free lane. */
  readonly look: () => void;
  /** Whether an item waits that is not patient. */
  readonly hasImpatient: () => boolean;
}

export interface LaneOptions {
  /** Batches in flight at most; 2 when absent: one on the disk while the other is being computed. */
  readonly max?: number;
  /**
   * Items that must be waiting before another lane is opened beside a busy one; 1 when absent. A statement costs a good deal before its
   * first item, so a few items are cheaper together a moment later than at once in a statement of their own.
   */
  readonly extraLaneItemsMin?: number;
  /** How long a patient item lets others go first, milliseconds; 10 when absent. */
  readonly patienceMs?: number;
}

export function createLanes({ max = 2, extraLaneItemsMin = 1, patienceMs = 10 }: LaneOptions = {}): Lanes {
  if (max < 1) {
    throw new Error("there must be a lane");
  }
  return { max, extraLaneItemsMin, patienceMs, busy: 0, busyForImpatient: 0, linesInFlight: new Map(), users: [] };
}

export interface BatcherLoad {
  readonly waiting: number;
  readonly lanesBusy: number;
}

export interface BatcherOptions<Item, Outcome> {
  /** Names the batcher in errors and metrics. */
  readonly name: string;
  /** Lanes of its own, or shared with other batchers; two of its own when absent. */
  readonly lanes?: Lanes;
  readonly batchMax: number;
  /**
   * When more than so many are ready, a batch takes half of them at most: a crowd that comes at once then leaves in several batches, and
   * whoever comes next, here or at another batcher of the lanes, does not wait for all of it. `batchMax` when absent.
   */
  readonly batchEven?: number;
  /** Items waiting at most, not counting those in flight. */
  readonly queueMax: number;
  /**
   * Does the work of a batch in one transaction and returns one outcome per item, in the order of the items. If it throws,
   * nothing of the batch may have been kept: each item is then run alone.
   */
  readonly run: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  /**
   * Items of one key never run in two batches at once and keep their order of arrival; within a batch they stand in that
   * order. Absent: no two items depend on each other.
   */
  readonly keyOf?: (item: Item) => string;
  /**
   * Whose item it is. Two batches with items of one line would wait for each other in the database, so a batch is made of lines that are in
   * no other one, and where more wait than it takes, of no more lines than its share of the lanes. Within it the lines take turns, so that
   * one of them, however long, cannot fill it while others wait. Batchers that share lanes must mean the same by a line; items of one key
   * must be of one line. Absent: the oldest go first.
   */
  readonly lineOf?: (item: Item) => number;
  /**
   * Whether an item lets others go first, here and at the other batchers of the lanes: for as long as one of them waits, up to the lanes'
   * `patienceMs`. A batch of patient items alone does not keep the others from a lane either: the next one begins beside it at once. It is asked
   * whenever a batch is made, so that it may change; at any moment it must be the same for all items of a line and of a key. Absent: no item is patient.
   */
  readonly isPatient?: (item: Item) => boolean;
  /** Told once for each batch that failed as a whole, before its items are run alone. */
  readonly onFailure?: (failure: BatchFailure) => void;
}

export interface BatchFailure {
  readonly name: string;
  readonly error: unknown;
  readonly itemCount: number;
}

/** The line is full: the caller must refuse its own caller (503 or a decline) instead of waiting. */
export class QueueFull extends Error {
  readonly batcher: string;

  constructor(batcher: string) {
    super(`the queue of ${batcher} is full`);
    this.name = "QueueFull";
    this.batcher = batcher;
  }
}

/** The process is stopping: the item was not run. */
export class BatcherStopped extends Error {
  readonly batcher: string;

  constructor(batcher: string) {
    super(`${batcher} is stopping`);
    this.name = "BatcherStopped";
    this.batcher = batcher;
  }
}

interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly key: string | undefined;
  /** Of a clock that never goes back. */
  readonly sinceMs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

interface State<Item, Outcome> {
  readonly options: BatcherOptions<Item, Outcome>;
  readonly lanes: Lanes;
  /** In order of arrival. */
  waiting: Waiting<Item, Outcome>[];
  readonly keysInFlight: Set<string>;
  readonly user: LaneUser;
  lanesBusy: number;
  flushPlanned: boolean;
  stopping: boolean;
  /** Resolves `stop` when the last item is done. */
  onIdle: (() => void) | null;
}

export function createBatcher<Item, Outcome>(options: BatcherOptions<Item, Outcome>): Batcher<Item, Outcome> {
  const state: State<Item, Outcome> = {
    options,
    lanes: options.lanes ?? createLanes(),
    waiting: [],
    keysInFlight: new Set(),
    user: { look: () => planFlush(state), hasImpatient: () => hasImpatient(state) },
    lanesBusy: 0,
    flushPlanned: false,
    stopping: false,
    onIdle: null,
  };
  if (options.batchMax < 1 || options.queueMax < 1) {
    throw new Error(`the bounds of ${options.name} must be at least 1`);
  }
  state.lanes.users.push(state.user);
  return {
    submit: (item) => submit(state, item),
    load: () => ({ waiting: state.waiting.length, lanesBusy: state.lanesBusy }),
    stop: ({ deadlineMs }) => stop(state, deadlineMs),
  };
}

function submit<Item, Outcome>(state: State<Item, Outcome>, item: Item): Promise<Outcome> {
  if (state.stopping) {
    return Promise.reject(new BatcherStopped(state.options.name));
  }
  if (state.waiting.length >= state.options.queueMax) {
    return Promise.reject(new QueueFull(state.options.name));
  }
  return new Promise<Outcome>((resolve, reject) => {
    state.waiting.push({ item, key: state.options.keyOf?.(item), sinceMs: performance.now(), resolve, reject });
    planFlush(state);
  });
}

/** setImmediate runs after the sockets of this turn were read, so everything that arrived together leaves together. */
function planFlush<Item, Outcome>(state: State<Item, Outcome>): void {
  if (!state.flushPlanned && mayOpenLane(state)) {
    state.flushPlanned = true;
    setImmediate(() => {
      state.flushPlanned = false;
      flush(state);
    });
  }
}

function mayOpenLane<Item, Outcome>(state: State<Item, Outcome>): boolean {
  const { lanes, waiting } = state;
  if (lanes.busy >= lanes.max) {
    return false;
  }
  const itemsMin = lanes.busy === 0 ? 1 : lanes.extraLaneItemsMin;
  return waiting.length >= itemsMin || (lanes.busyForImpatient === 0 && hasImpatient(state));
}

function hasImpatient<Item, Outcome>({ waiting, options }: State<Item, Outcome>): boolean {
  return waiting.some(({ item }) => options.isPatient?.(item) !== true);
}

function flush<Item, Outcome>(state: State<Item, Outcome>): void {
  while (mayOpenLane(state)) {
    const batch = takeBatch(state);
    if (batch.length === 0) {
      return;
    }
    void runLane(state, batch);
  }
}

/**
 * Of the items whose key is not in flight, as many as a batch holds; those of lines that are in no other batch, as long as there are any. A
 * key in flight blocks all of its items, which keeps their order.
 */
function takeBatch<Item, Outcome>(state: State<Item, Outcome>): Waiting<Item, Outcome>[] {
  const { keysInFlight, options, lanes } = state;
  const { batchMax, batchEven = batchMax, lineOf } = options;
  const ready = state.waiting.filter(({ key }) => key === undefined || !keysInFlight.has(key));
  const apart = lineOf === undefined ? ready : ready.filter(({ item }) => !lanes.linesInFlight.has(lineOf(item)));
  const choice = withoutPatient(state, apart.length > 0 ? apart : ready);
  const limit = Math.min(batchMax, Math.max(batchEven, Math.ceil(choice.length / 2)));
  const taken = choice.length <= limit ? choice : inTurns(choice, { limit, lineOf, lanesMax: lanes.max });
  const gone = new Set(taken);
  state.waiting = taken.length === state.waiting.length ? [] : state.waiting.filter((entry) => !gone.has(entry));
  return taken;
}

/** Those that go first: without the patient ones, as long as they have not waited for long and there is anybody to let pass. */
function withoutPatient<Item, Outcome>(
  { lanes, options, user }: State<Item, Outcome>,
  ready: Waiting<Item, Outcome>[],
): Waiting<Item, Outcome>[] {
  const { isPatient } = options;
  if (isPatient === undefined) {
    return ready;
  }
  const patientSinceMs = performance.now() - lanes.patienceMs;
  const isFirst = ({ item, sinceMs }: Waiting<Item, Outcome>): boolean => sinceMs <= patientSinceMs || !isPatient(item);
  if (ready.some(({ item }) => !isPatient(item))) {
    return ready.filter(isFirst);
  }
  const othersWait = lanes.users.some((other) => other !== user && other.hasImpatient());
  return othersWait && !ready.some(isFirst) ? [] : ready;
}

/**
 * One item of each line, then the next of each, in the order of arrival within a line. With two lanes, of half of the lines, because a
 * batch that has some of every line leaves nothing apart to the other lane; of those whose first item has waited longest, so that none
 * is left out for ever.
 */
function inTurns<Item, Outcome>(
  ready: readonly Waiting<Item, Outcome>[],
  options: {
    readonly limit: number;
    readonly lineOf: BatcherOptions<Item, Outcome>["lineOf"];
    readonly lanesMax: number;
  },
): Waiting<Item, Outcome>[] {
  const { limit, lineOf, lanesMax } = options;
  if (lineOf === undefined) {
    return ready.slice(0, limit);
  }
  const all = [...Map.groupBy(ready, ({ item }) => lineOf(item)).values()];
  const lines = all.slice(0, Math.ceil(all.length / lanesMax));
  const taken: Waiting<Item, Outcome>[] = [];
  for (let turn = 0; taken.length < limit; turn += 1) {
    const next = lines.flatMap((line) => line.slice(turn, turn + 1));
    taken.push(...next.slice(0, limit - taken.length));
    if (next.length === 0) {
      break;
    }
  }
  return taken;
}

async function runLane<Item, Outcome>(
  state: State<Item, Outcome>,
  batch: readonly Waiting<Item, Outcome>[],
): Promise<void> {
  const { lanes } = state;
  const leaveLane = enterLane(state, batch);
  try {
    await settle(state.options, batch);
  } finally {
    leaveLane();
    lanes.users.splice(lanes.users.indexOf(state.user), 1);
    lanes.users.push(state.user);
    for (const { look } of lanes.users) {
      look();
    }
    if (state.lanesBusy === 0 && state.waiting.length === 0) {
      state.onIdle?.();
    }
  }
}

/** Marks the batch, its keys and its lines as in flight; what it returns ends that. */
function enterLane<Item, Outcome>(state: State<Item, Outcome>, batch: readonly Waiting<Item, Outcome>[]): () => void {
  const { lanes, keysInFlight } = state;
  const { lineOf, isPatient } = state.options;
  const forImpatient = batch.some(({ item }) => isPatient?.(item) !== true) ? 1 : 0;
  const keys = batch.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const lines = new Set(lineOf === undefined ? [] : batch.map(({ item }) => lineOf(item)));
  state.lanesBusy += 1;
  lanes.busy += 1;
  lanes.busyForImpatient += forImpatient;
  for (const key of keys) {
    keysInFlight.add(key);
  }
  for (const line of lines) {
    countLine(lanes, { line, change: 1 });
  }
  return () => {
    state.lanesBusy -= 1;
    lanes.busy -= 1;
    lanes.busyForImpatient -= forImpatient;
    for (const key of keys) {
      keysInFlight.delete(key);
    }
    for (const line of lines) {
      countLine(lanes, { line, change: -1 });
    }
  };
}

function countLine(
  { linesInFlight }: Lanes,
  { line, change }: { readonly line: number; readonly change: 1 | -1 },
): void {
  const count = (linesInFlight.get(line) ?? 0) + change;
  if (count === 0) {
    linesInFlight.delete(line);
  } else {
    linesInFlight.set(line, count);
  }
}

/** Gives every item of the batch its outcome or its error; never rejects. */
async function settle<Item, Outcome>(
  options: BatcherOptions<Item, Outcome>,
  batch: readonly Waiting<Item, Outcome>[],
): Promise<void> {
  let outcomes: readonly Outcome[];
  try {
    outcomes = await options.run(batch.map((entry) => entry.item));
  } catch (error) {
    reportFailure(options, { name: options.name, error, itemCount: batch.length });
    await settleAlone(options, batch, error);
    return;
  }
  // A wrong count is a bug of `run` after its work was kept: running the items again would do it twice.
  if (outcomes.length !== batch.length) {
    const error = new Error(`${options.name} returned ${outcomes.length} outcomes for ${batch.length} items`);
    for (const entry of batch) {
      entry.reject(error);
    }
    return;
  }
  for (const [index, outcome] of outcomes.entries()) {
    batch[index]?.resolve(outcome);
  }
}

/**
 * After a failed batch each item runs alone, in order, so that only the one that caused it fails. When the database is away
 * that would wait for a dead server once per item, so all of them are rejected at once.
 */
async function settleAlone<Item, Outcome>(
  options: BatcherOptions<Item, Outcome>,
  batch: readonly Waiting<Item, Outcome>[],
  batchError: unknown,
): Promise<void> {
  const [only] = batch;
  if (batch.length === 1 && only !== undefined) {
    only.reject(batchError);
    return;
  }
  let absence: unknown = isUnavailable(batchError) ? batchError : null;
  for (const entry of batch) {
    if (absence !== null) {
      entry.reject(absence);
      continue;
    }
    try {
      const outcomes = await options.run([entry.item]);
      if (outcomes.length !== 1) {
        throw new Error(`${options.name} returned ${outcomes.length} outcomes for 1 item`);
      }
      for (const outcome of outcomes) {
        entry.resolve(outcome);
      }
    } catch (error) {
      entry.reject(error);
      absence = isUnavailable(error) ? error : null;
    }
  }
}

/** A failing log line must not leave the items of the batch without an answer. */
function reportFailure<Item, Outcome>(options: BatcherOptions<Item, Outcome>, failure: BatchFailure): void {
  try {
    options.onFailure?.(failure);
  } catch {
    // The failure itself still reaches every caller through its promise.
  }
}

async function stop<Item, Outcome>(state: State<Item, Outcome>, deadlineMs: number): Promise<void> {
  state.stopping = true;
  if (state.lanesBusy === 0 && state.waiting.length === 0) {
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, deadlineMs);
    state.onIdle = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  for (const entry of state.waiting.splice(0)) {
    entry.reject(new BatcherStopped(state.options.name));
  }
}
