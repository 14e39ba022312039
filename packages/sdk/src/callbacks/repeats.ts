/**
 * Remembers what pushes were answered. One of your own (a table, Redis) makes several processes know each other's; keep entries for
 * 30 days, as long as the platform may repeat a push. An error of it is told to `onError`; the push is then handled as a new one.
 */
export interface RepeatStore {
  get(key: string): Promise<string | undefined> | string | undefined;
  set(key: string, answer: string): Promise<void> | void;
}

/** About 150 bytes each. */
const entriesMaxDefault = 50_000;

/** In memory, for one process; the oldest entries go first. */
export function memoryRepeatStore({
  entriesMax = entriesMaxDefault,
}: {
  readonly entriesMax?: number;
} = {}): RepeatStore {
  const answers = new Map<string, string>();
  return {
    get: (key) => answers.get(key),
    set: (key, answer) => {
      answers.delete(key);
      answers.set(key, answer);
      if (answers.size > entriesMax) {
        const [oldest] = answers.keys();
        if (oldest !== undefined) answers.delete(oldest);
      }
    },
  };
}
