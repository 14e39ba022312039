import type { Pool, PoolClient } from "pg";
import type { Clock } from "#kernel/index.ts";
import { callConclude, callDecide } from "./store.ts";

interface WarmUpDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}

/**
 * Takes every connection that the pool may have, so that none is met twice, and runs both statements on no items in each. One that breaks
 * meanwhile is thrown away: it is made anew when it is needed, and is then as slow as it would have been.
 */
export async function warmUp(deps: WarmUpDeps): Promise<void> {
  const opening = Array.from({ length: deps.pool.options.max }, () => deps.pool.connect());
  const opened = (await Promise.allSettled(opening)).flatMap((each) =>
    each.status === "fulfilled" ? [each.value] : [],
  );
  await Promise.all(opened.map((connection) => warm(deps, connection)));
}

async function warm({ clock }: WarmUpDeps, connection: PoolClient): Promise<void> {
  let failed = false;
  // Unheard, a connection that breaks between two statements would end the process.
  const onError = (): void => {
    failed = true;
  };
  connection.on("error", onError);
  try {
    await callDecide(connection, []);
    await callConclude(connection, { items: [], voidKind: "void", at: clock.now() });
  } catch {
    failed = true;
  } finally {
    connection.off("error", onError);
    connection.release(failed);
  }
}
