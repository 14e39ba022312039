import { chmod, mkdtemp, readdir, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A test run's databases take up to half of this. Containers often have a /dev/shm of only 64 MB. */
const bytesFreeMin = 1_000_000_000;

/**
 * A new folder that every user may enter (as root the database runs as another one). In memory where there is room: a
 * database is a thousand files, copied in 75 ms there and in 1,050 ms on the slowest disk measured. The name holds the
 * process that made it, so that what a killed test run left in memory is removed by the next.
 */
export async function temporaryFolder(purpose: string): Promise<string> {
  const memory = await statfs("/dev/shm").catch(() => null);
  const roomy = memory !== null && memory.bavail * memory.bsize > bytesFreeMin;
  const parent = roomy ? "/dev/shm" : tmpdir();
  await removeLeftOvers(parent);
  const folder = await mkdtemp(join(parent, `cardwright-${purpose}-${process.pid}-`));
  await chmod(folder, 0o755);
  return folder;
}

async function removeLeftOvers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^cardwright-[a-z]+-(?<pid>\d+)-\w{6}$/u.exec(name)?.groups?.["pid"];
    if (pid !== undefined && !isAlive(Number(pid))) {
      // Another user's stays.
      await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
