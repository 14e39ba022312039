import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Binaries, systemDirectory } from "./binaries.ts";
import { DatabaseRefused, errorCode } from "./errors.ts";
import { processIdentity } from "./postmaster.ts";
import { canUse, giveTo, makePassable, processOptions, type ServerUser, serverUserFor } from "./server-account.ts";

const run = promisify(execFile);

/** The first superuser of the embedded server; the platform's own roles are made by the migrations. */
export const superuser = "cardwright";

/**
 * Where the embedded server of a clone keeps its data: `<clone>/.data/postgres`. When root runs a clone that the server's
 * account cannot reach (root's home has mode 700), `/var/lib/cardwright/<id>/postgres`, the id being kept in
 * `<clone>/.data/instance`.
 */
export async function embeddedDataDirectory(clone: string): Promise<string> {
  const home = join(clone, ".data");
  const beside = join(home, "postgres");
  try {
    await makePassable(home);
    const user = await serverUserFor(beside);
    if (user === null || (await canUse(user, { path: home, kind: "enter" }))) {
      return join(await realpath(home), "postgres");
    }
    const directory = join(systemDirectory, await instanceId(home));
    await makePassable(systemDirectory);
    await makePassable(directory);
    return join(directory, "postgres");
  } catch (error) {
    throw unusable(beside, error);
  }
}

async function instanceId(home: string): Promise<string> {
  const file = join(home, "instance");
  try {
    await writeFile(file, randomBytes(6).toString("hex"), { flag: "wx" });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") {
      throw error;
    }
  }
  const id = (await readFile(file, "utf8")).trim();
  if (!/^[0-9a-f]{12}$/u.test(id)) {
    throw new DatabaseRefused("data_directory_unusable", `${file} does not hold the id of an instance: remove it.`);
  }
  return id;
}

function unusable(path: string, error: unknown): DatabaseRefused {
  if (error instanceof DatabaseRefused) {
    return error;
  }
  const reason = error instanceof Error ? error.message : "unknown error";
  return new DatabaseRefused("data_directory_unusable", `The data directory ${path} cannot be used: ${reason}`, {
    cause: error,
  });
}

/** The major version that wrote the data; null when there is none yet. */
export async function dataMajor(dataDirectory: string): Promise<number | null> {
  const text = await readFile(join(dataDirectory, "PG_VERSION"), "utf8").catch(() => null);
  return text === null ? null : Number(text.trim());
}

/** The superuser's password: made at the first start, kept beside the data in a file that only its owner may read. */
export async function serverPassword(dataDirectory: string): Promise<string> {
  const file = `${dataDirectory}.password`;
  const present = await readFile(file, "utf8").catch(() => null);
  if (present !== null && present.trim() !== "") {
    return present.trim();
  }
  if ((await dataMajor(dataDirectory)) !== null) {
    throw new DatabaseRefused(
      "data_directory_unusable",
      `${file} is missing, without which the data in ${dataDirectory} cannot be opened: bring the file back, or remove the data to begin anew.`,
    );
  }
  const password = randomBytes(24).toString("base64url");
  await writeFile(file, password, { mode: 0o600 });
  return password;
}

export interface CreateData {
  readonly dataDirectory: string;
  readonly binaries: Binaries;
  readonly user: ServerUser;
  readonly password: string;
  /** Whether the new files are forced to the disk. */
  readonly sync: boolean;
}

/** Runs initdb under another name and renames the result, so that an interrupted one leaves no half database. */
export async function createData(create: CreateData): Promise<void> {
  const parent = dirname(create.dataDirectory);
  const prefix = `${basename(create.dataDirectory)}.new-`;
  for (const name of (await readdir(parent)).filter((entry) => entry.startsWith(prefix))) {
    await rm(join(parent, name), { recursive: true, force: true });
  }
  const fresh = join(parent, `${prefix}${process.pid}`);
  const passwordFile = `${fresh}.password`;
  try {
    await mkdir(fresh, { mode: 0o700 });
    await giveTo(create.user, fresh);
    await writeFile(passwordFile, create.password, { mode: 0o600 });
    await giveTo(create.user, passwordFile);
    await run(
      join(create.binaries.directory, "initdb"),
      [
        `--pgdata=${fresh}`,
        `--username=${superuser}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        ...(create.sync ? [] : ["--no-sync"]),
      ],
      processOptions(create.user),
    );
    await rename(fresh, create.dataDirectory);
  } catch (error) {
    throw unusable(create.dataDirectory, error);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(fresh, { recursive: true, force: true });
  }
}

/**
 * Marks the data directory as used by this process, so that a second start in the same clone is told so instead of
 * stopping the server under the first. A mark whose process is gone (kill -9) is taken over. Returns what releases it.
 */
export async function claimData(dataDirectory: string): Promise<() => Promise<void>> {
  const file = `${dataDirectory}.owner`;
  const own = `${process.pid} ${(await processIdentity(process.pid)) ?? ""}`;
  const draft = `${file}.${process.pid}`;
  const attemptsMax = 5;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    await writeFile(draft, own);
    try {
      // Unlike a write, a link appears with its content or not at all.
      await link(draft, file);
      return () => rm(file, { force: true });
    } catch (error) {
      if (errorCode(error) !== "EEXIST") {
        throw unusable(dataDirectory, error);
      }
      await removeStaleClaim(file, dataDirectory);
    } finally {
      await rm(draft, { force: true });
    }
  }
  throw new DatabaseRefused("data_directory_in_use", `${dataDirectory} is being claimed by other processes.`);
}

async function removeStaleClaim(file: string, dataDirectory: string): Promise<void> {
  const claim = await readFile(file, "utf8").catch(() => "");
  const [pid = "", ...identity] = claim.split(" ");
  if (claim !== "" && identity.join(" ") === ((await processIdentity(Number(pid))) ?? "gone")) {
    throw new DatabaseRefused(
      "data_directory_in_use",
      `The database in ${dataDirectory} is in use by process ${pid}: stop that one first (Ctrl-C where it was started).`,
    );
  }
  await rm(file, { force: true });
}
