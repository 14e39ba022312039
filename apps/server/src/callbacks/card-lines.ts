import type { ClaimedPush } from "./claim-store.ts";

/**
 * A merchant's claimed pushes that wait in this process: a line for each card, of which only the first may be sent, and that only
 * when nothing of the card is under way here. Cards take turns.
 */
export interface CardLines {
  add(push: ClaimedPush): void;
  /** The next push that may be sent; its card is busy until `delivered` or `drop`. */
  take(): ClaimedPush | null;
  /** The card's push was delivered: the next one may go. */
  delivered(cardNo: string): void;
  /** The card's push was not delivered: what waits behind it is handed back. */
  drop(cardNo: string): readonly ClaimedPush[];
  /** Hands back everything that waits. */
  drain(): readonly ClaimedPush[];
  waiting(): number;
  /** Whether `take` would give a push. */
  isReady(): boolean;
}

interface Line {
  /** In the card's order. */
  readonly pushes: ClaimedPush[];
  busy: boolean;
}

export function createCardLines(): CardLines {
  const lines = new Map<string, Line>();
  /** Cards that have a push to send, in turn. A Set keeps the order of insertion and takes from the front in constant time. */
  const ready = new Set<string>();
  let waiting = 0;

  const lineOf = (cardNo: string): Line => {
    const known = lines.get(cardNo);
    if (known !== undefined) {
      return known;
    }
    const fresh: Line = { pushes: [], busy: false };
    lines.set(cardNo, fresh);
    return fresh;
  };
  const free = (cardNo: string): void => {
    const line = lines.get(cardNo);
    if (line === undefined) {
      return;
    }
    line.busy = false;
    if (line.pushes.length === 0) {
      lines.delete(cardNo);
    } else {
      ready.add(cardNo);
    }
  };
  const empty = (line: Line): readonly ClaimedPush[] => {
    const pushes = line.pushes.splice(0);
    waiting -= pushes.length;
    return pushes;
  };

  return {
    add: (push) => {
      const line = lineOf(push.cardNo);
      const before = line.pushes.findLastIndex((each) => each.sequence < push.sequence);
      line.pushes.splice(before + 1, 0, push);
      waiting += 1;
      if (!line.busy) {
        ready.add(push.cardNo);
      }
    },
    take: () => {
      const [cardNo] = ready;
      const line = cardNo === undefined ? undefined : lines.get(cardNo);
      const push = line?.pushes.shift();
      if (cardNo === undefined || line === undefined || push === undefined) {
        return null;
      }
      ready.delete(cardNo);
      line.busy = true;
      waiting -= 1;
      return push;
    },
    delivered: free,
    drop: (cardNo) => {
      const line = lines.get(cardNo);
      const dropped = line === undefined ? [] : empty(line);
      free(cardNo);
      return dropped;
    },
    drain: () => {
      const drained = [...lines.values()].flatMap((line) => empty(line));
      ready.clear();
      for (const [cardNo, line] of lines) {
        if (!line.busy) {
          lines.delete(cardNo);
        }
      }
      return drained;
    },
    waiting: () => waiting,
    isReady: () => ready.size > 0,
  };
}
