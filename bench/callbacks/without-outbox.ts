import type { Pool } from "pg";

/** The part of the decision's last statement, up to what follows it. */
const insertOfPushes =
  /, pushed AS \(\s*INSERT INTO callback_outbox \((?:[^;']|'[^']*')*\n\s*\)(?=\n\s*UPDATE card\b)/gu;

/**
 * The text of a function without its one `INSERT INTO callback_outbox`. Throws when there is none, or more than one: what is measured
 * would then not be what a push costs.
 */
export function withoutOutbox(definition: string): string {
  const found = definition.match(insertOfPushes) ?? [];
  const mentions = definition.match(/INSERT INTO callback\w*/gu) ?? [];
  if (found.length !== 1 || mentions.length !== 1) {
    throw new Error(
      `the decision inserts callbacks in ${mentions.length} places, of which ${found.length} can be read`,
    );
  }
  return definition.replace(insertOfPushes, "");
}

/** In the benchmark's own database the decision queues nothing from now on. */
export async function removeOutbox(ownerPool: Pool): Promise<void> {
  const { rows } = await ownerPool.query<{ definition: string }>(
    "SELECT pg_get_functiondef(oid) AS definition FROM pg_proc WHERE proname = 'authorization_decide' AND prokind = 'f'",
  );
  const [row] = rows;
  if (row === undefined || rows.length > 1) {
    throw new Error(`there are ${rows.length} functions authorization_decide`);
  }
  await ownerPool.query(withoutOutbox(row.definition));
}
