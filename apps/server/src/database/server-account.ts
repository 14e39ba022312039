import { execFile } from "node:child_process";
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { DatabaseRefused } from "./errors.ts";

const run = promisify(execFile);

/** The user the embedded server runs as. Postgres refuses to run as root, so root hands it to a lesser account. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/** Null: this process's own user. */
export type ServerUser = ServerAccount | null;

/** Preferred first: made for the purpose by a Postgres package; present on every system (initdb demands a named user). */
const accountNames = ["postgres", "nobody"];

/**
 * Who runs the server on this data directory: the present user; as root the owner of existing data, or else `postgres` or
 * `nobody`.
 */
export async function serverUserFor(dataDirectory: string): Promise<ServerUser> {
  const ownUid = process.getuid?.();
  if (ownUid === undefined) {
    throw new DatabaseRefused(
      "no_postgres_binaries",
      "The embedded Postgres runs on Linux and macOS only: set DATABASE_URL to a Postgres 15 or newer.",
    );
  }
  const owner = await ownerOf(`${dataDirectory}/PG_VERSION`);
  if (owner !== null && owner.uid !== ownUid && ownUid !== 0) {
    throw new DatabaseRefused(
      "data_directory_unusable",
      `The data in ${dataDirectory} belongs to another user (uid ${owner.uid}): run as that user, or as root.`,
    );
  }
  if (ownUid !== 0) {
    return null;
  }
  return owner !== null && owner.uid !== 0 ? owner : unprivilegedAccount();
}

async function ownerOf(path: string): Promise<ServerAccount | null> {
  try {
    const found = await stat(path);
    return { uid: found.uid, gid: found.gid };
  } catch {
    return null;
  }
}

async function unprivilegedAccount(): Promise<ServerAccount> {
  for (const name of accountNames) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such account: try the next.
    }
  }
  throw new DatabaseRefused(
    "data_directory_unusable",
    `Postgres refuses to run as root, and this machine has no user ${accountNames.join(" or ")}: run as an ordinary user, or set DATABASE_URL.`,
  );
}

/** For `spawn`: the identity of the server, and an environment in which no PG* variable of the caller redirects it. */
export function processOptions(user: ServerUser): { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
  return {
    // The present directory may be one that the account cannot enter.
    cwd: "/",
    env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
  };
}

/** Asked by trying, as that user: modes alone miss access lists, mounts and directories further up. */
export async function canUse(
  user: ServerUser,
  access: { readonly path: string; readonly kind: "execute" | "enter" },
): Promise<boolean> {
  const test = access.kind === "execute" ? 'test -r "$1" && test -x "$1"' : 'cd "$1"';
  try {
    await run("/bin/sh", ["-c", test, "sh", access.path], processOptions(user));
    return true;
  } catch {
    return false;
  }
}

/** A directory the server's user may pass through, whatever the umask of the person at the terminal. */
export async function makePassable(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true });
  if (made !== undefined && process.getuid?.() === 0) {
    await chmod(directory, 0o755);
  }
}

export async function giveTo(user: ServerUser, path: string): Promise<void> {
  if (user !== null) {
    await chown(path, user.uid, user.gid);
  }
}
