/** Handles pushes about one card one after the other, in the order of their `Sequence`. */
export interface CardOrder {
  /**
   * Runs the work when no other about that card is running and all earlier pushes that are here have been handled. Null when too many
   * wait already. `isLate`: a later push was handled before.
   */
  run<Value>(
    push: { readonly cardNo: string; readonly sequence: number | null },
    work: (order: { readonly isLate: boolean }) => Promise<Value>,
  ): Promise<Value> | null;
}

export interface CardOrderLimits {
  /** How long a push waits for one that should come before it and is not here; 0: not at all. */
  readonly gapWaitMs: number;
  /** A push that is handled for longer does not hold up the others of its card any more. */
  readonly handlingMsMax: number;
  /** Pushes that wait about one card. */
  readonly waitingMax: number;
  /** Cards whose last number is remembered. */
  readonly cardsMax: number;
}

interface Waiting {
  readonly sequence: number | null;
  readonly start: () => void;
}

interface Lane {
  /** Highest number that was handled; null before the first. */
  last: number | null;
  isBusy: boolean;
  gapTimer: ReturnType<typeof setTimeout> | undefined;
  readonly waiting: Waiting[];
}

export function createCardOrder(limits: CardOrderLimits): CardOrder {
  const lanes = new Map<string, Lane>();
  return {
    run: (push, work) => {
      const lane = laneOf(lanes, push.cardNo, limits.cardsMax);
      if (lane.waiting.length >= limits.waitingMax) return null;
      return new Promise((resolve, reject) => {
        const start = (): void => {
          lane.isBusy = true;
          const isLate = push.sequence !== null && lane.last !== null && push.sequence < lane.last;
          const handled = work({ isLate });
          handled.then(resolve, reject);
          void goOn(lane, { limits, handled, sequence: push.sequence });
        };
        insert(lane.waiting, { sequence: push.sequence, start });
        startNext(lane, limits);
      });
    },
  };
}

async function goOn(
  lane: Lane,
  work: { readonly limits: CardOrderLimits; readonly handled: Promise<unknown>; readonly sequence: number | null },
): Promise<void> {
  const succeeded = await settled(work.handled, work.limits.handlingMsMax);
  // A push that failed comes again: until then its number is missing.
  if (succeeded && work.sequence !== null) lane.last = Math.max(lane.last ?? 0, work.sequence);
  lane.isBusy = false;
  startNext(lane, work.limits);
}

function laneOf(lanes: Map<string, Lane>, cardNo: string, cardsMax: number): Lane {
  const lane = lanes.get(cardNo) ?? { last: null, isBusy: false, gapTimer: undefined, waiting: [] };
  lanes.delete(cardNo);
  lanes.set(cardNo, lane);
  if (lanes.size > cardsMax) forgetOldest(lanes);
  return lane;
}

/** Of the cards that were heard of longest ago, one with nothing to do; the pushes under way are bounded elsewhere. */
function forgetOldest(lanes: Map<string, Lane>): void {
  for (const [cardNo, lane] of lanes) {
    if (!lane.isBusy && lane.waiting.length === 0) {
      lanes.delete(cardNo);
      return;
    }
  }
}

/** Before the first that has a higher number; without a number at the end. */
function insert(waiting: Waiting[], entry: Waiting): void {
  const { sequence } = entry;
  const at =
    sequence === null ? -1 : waiting.findIndex((other) => other.sequence !== null && other.sequence > sequence);
  waiting.splice(at === -1 ? waiting.length : at, 0, entry);
}

function startNext(lane: Lane, limits: CardOrderLimits): void {
  const [first] = lane.waiting;
  if (lane.isBusy || first === undefined) return;
  const isGap = first.sequence !== null && lane.last !== null && first.sequence > lane.last + 1;
  if (!isGap || limits.gapWaitMs === 0) {
    startFirst(lane);
    return;
  }
  // One timer for a lane: whatever is first when it rings has waited long enough, or is what was missing.
  lane.gapTimer ??= setTimeout(() => {
    lane.gapTimer = undefined;
    if (!lane.isBusy) startFirst(lane);
  }, limits.gapWaitMs);
}

function startFirst(lane: Lane): void {
  clearTimeout(lane.gapTimer);
  lane.gapTimer = undefined;
  lane.waiting.shift()?.start();
}

/** Whether it ended well, or false as soon as it has taken too long. */
async function settled(work: Promise<unknown>, msMax: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), msMax);
  });
  const ended = work.then(
    () => true,
    () => false,
  );
  const outcome = await Promise.race([ended, late]);
  clearTimeout(timer);
  return outcome;
}
