import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { DatabaseRefused, errorCode } from "./errors.ts";
import type { DatabaseRole } from "./pool.ts";

/** `cardwright_app` works on everything but the vault, `cardwright_vault` on the schema vault alone. Neither can log in. */
const roles: readonly DatabaseRole[] = ["cardwright_app", "cardwright_vault"];

/** Roles belong to the whole server, so runners of different databases meet here; each meeting costs one attempt. */
const attemptsMax = 10;
const waitMsMax = 100;

/**
 * Creates the platform's roles where they are missing and lets the connected user switch to them. Does nothing, and needs
 * no rights, when that is already so. Safe against other runners on the same server.
 */
export async function ensureRoles(client: pg.ClientBase): Promise<void> {
  for (const role of roles) {
    await ensureRole(client, role);
  }
}

async function ensureRole(client: pg.ClientBase, role: DatabaseRole): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await createRole(client, role);
      return;
    } catch (error) {
      if (errorCode(error) === "42501") {
        throw await missingPrivilege(client, error);
      }
      if (attempt >= attemptsMax || !isMeeting(error)) {
        throw error;
      }
      await sleep(Math.random() * waitMsMax);
    }
  }
}

/** 42710, 23505: another runner created the role first. XX000: "tuple concurrently updated" by its GRANT. */
function isMeeting(error: unknown): boolean {
  return ["42710", "23505", "XX000"].includes(errorCode(error));
}

async function createRole(client: pg.ClientBase, role: DatabaseRole): Promise<void> {
  const found = await client.query<{ exists: boolean }>(
    "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1) AS exists",
    [role],
  );
  if (found.rows[0]?.exists !== true) {
    await client.query(`CREATE ROLE ${role} NOLOGIN`);
  }
  if (!(await canSwitchTo(client, role))) {
    // From 16 on a member does not automatically have the right to SET ROLE: whoever may create roles gets only ADMIN.
    const options = (await serverMajor(client)) >= 16 ? " WITH SET TRUE, INHERIT FALSE" : "";
    await client.query(`GRANT ${role} TO CURRENT_USER${options}`);
  }
}

async function canSwitchTo(client: pg.ClientBase, role: DatabaseRole): Promise<boolean> {
  const right = (await serverMajor(client)) >= 16 ? "SET" : "MEMBER";
  const answer = await client.query<{ may: boolean }>("SELECT pg_has_role(current_user, $1, $2) AS may", [role, right]);
  return answer.rows[0]?.may === true;
}

/** 15 for 15.18. */
export async function serverMajor(client: pg.ClientBase): Promise<number> {
  const answer = await client.query<{ version: string }>("SELECT current_setting('server_version_num') AS version");
  return Math.floor(Number(answer.rows[0]?.version ?? "0") / 10_000);
}

async function missingPrivilege(client: pg.ClientBase, cause: unknown): Promise<DatabaseRefused> {
  const answer = await client.query<{ name: string }>("SELECT quote_ident(current_user) AS name");
  const user = answer.rows[0]?.name ?? "the connecting user";
  const options = (await serverMajor(client)) >= 16 ? " WITH SET TRUE" : "";
  return new DatabaseRefused(
    "missing_privilege",
    `The database user ${user} may not create the platform's roles. As a superuser run once: ${roles
      .map((role) => `CREATE ROLE ${role} NOLOGIN; GRANT ${role} TO ${user}${options};`)
      .join(" ")}`,
    { cause },
  );
}
