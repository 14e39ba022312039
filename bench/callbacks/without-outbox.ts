import type { Pool } from "pg";

/** The part of the decision's last statement, up to what follows it. */
const insertOfPushes =
  /, pushed AS \(\s*INSERT INTO callback_outbox \((?:[^;']|'[^']*')*\n\s*\)(?=\n\s*UPDATE card\b)/gu;
/** Where the decision, walking through its items, makes the push of one: nothing but this, whatever came of the item. */
const makingOfPush =
  /\n *IF result\.status = 'Pending' AND NOT result\.shown_free THEN\n(?: *as_sent := true;\n)? *pushes := (?:[^;']|'[^']*')*;\n *ELSE\n *pushes := (?:[^;']|'[^']*')*;\n *END IF;/gu;
const mentionOfPush = /INSERT INTO callback\w*|::outgoing_callback\b/gu;

/**
 * The text of a function that makes no pushes and does not insert them, but is the same otherwise. Throws when it does so in another
 * way than the decision: what is measured would then not be what a push costs.
 */
export function withoutOutbox(definition: string): string {
  const bare = definition.replace(insertOfPushes, "").replace(makingOfPush, "");
  const found = [insertOfPushes, makingOfPush].map((part) => definition.match(part)?.length ?? 0);
  const left = bare.match(mentionOfPush)?.length ?? 0;
  if (found.some((times) => times !== 1) || left > 0) {
    throw new Error(
      `the decision makes its pushes in another way: ${found.join(" and ")} places, and ${left} are left`,
    );
  }
  return bare;
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
