/** What a merchant has received, card by card: enough to show that nothing is missing, out of order or there twice. */
export interface PushBook {
  /** Enters a push that has arrived. */
  enter(push: ArrivedPush): void;
  page(): PushPage;
  /** Milliseconds from due to arrival of the first arrivals since the last call, at most `delaysMax` of them. */
  takeDelays(): readonly number[];
}

export interface ArrivedPush {
  readonly cardNo: string;
  readonly sequence: number;
  /** When it was due, Unix ms; the loader writes it into the data. */
  readonly dueAtMs: number;
  readonly atMs: number;
}

export interface PushPage {
  /** Pushes that came for the first time. */
  readonly arrived: number;
  /** Pushes that came again. */
  readonly repeats: number;
  /** First arrivals that were not the next one of their card: something before them was missing then, or is for ever. */
  readonly outOfOrder: number;
  readonly cards: number;
  /** Unix ms of the first and the last first arrival; 0 when nothing has come. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Unix ms of every `markEvery`th first arrival. */
  readonly marks: readonly number[];
}

/** A mark costs 8 bytes; a rate is taken over at least ten of them. */
export const markEvery = 1_000;
/** What a page of delays may hold until it is taken: 1.6 MB. */
const delaysMax = 200_000;

export function createPushBook(): PushBook {
  const lastOf = new Map<string, number>();
  // Sequences beyond the next one of their card, so that a gap which closes later is not counted as a repeat.
  const early = new Set<string>();
  const marks: number[] = [];
  let delays: number[] = [];
  const page = { arrived: 0, repeats: 0, outOfOrder: 0, firstAtMs: 0, lastAtMs: 0 };
  const isNew = ({ cardNo, sequence }: ArrivedPush): boolean => {
    const last = lastOf.get(cardNo) ?? 0;
    if (sequence <= last || early.has(`${cardNo} ${sequence}`)) {
      return false;
    }
    if (sequence !== last + 1) {
      page.outOfOrder += 1;
      early.add(`${cardNo} ${sequence}`);
      return true;
    }
    let next = sequence;
    while (early.size > 0 && early.delete(`${cardNo} ${next + 1}`)) {
      next += 1;
    }
    lastOf.set(cardNo, next);
    return true;
  };
  return {
    enter: (push) => {
      if (!isNew(push)) {
        page.repeats += 1;
        return;
      }
      page.arrived += 1;
      page.firstAtMs = page.arrived === 1 ? push.atMs : page.firstAtMs;
      page.lastAtMs = push.atMs;
      if (page.arrived % markEvery === 0) {
        marks.push(push.atMs);
      }
      if (delays.length < delaysMax) {
        delays.push(push.atMs - push.dueAtMs);
      }
    },
    page: () => ({ ...page, cards: lastOf.size, marks }),
    takeDelays: () => {
      const taken = delays;
      delays = [];
      return taken;
    },
  };
}
