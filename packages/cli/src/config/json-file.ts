import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { nearest } from "../command/suggest.ts";
import { wrongUsage } from "../exit-codes.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A settings file has some hundred bytes. */
const bytesMax = 262_144;

/** The object in a JSON file; null when there is no such file. Throws wrong usage when it is no object. */
export async function readJsonFile(file: string): Promise<JsonObject | null> {
  const text = await textOf(file);
  if (text === null) return null;
  if (text.length > bytesMax) throw wrongUsage(`${file} is too large for a settings file.`);
  try {
    return objectIn(JSON.parse(text), file);
  } catch (error) {
    if (error instanceof SyntaxError) throw wrongUsage(`${file} is not JSON: ${error.message}.`);
    throw error;
  }
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw wrongUsage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

export function objectIn(value: unknown, where: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongUsage(`${where} must be a JSON object.`);
  }
  return Object.fromEntries(Object.entries(value));
}

/** The texts of an object, which may have these keys and no other. */
export function textsIn<Key extends string>(
  value: unknown,
  { where, keys }: { readonly where: string; readonly keys: readonly Key[] },
): Partial<Record<Key, string>> {
  const found: Partial<Record<Key, string>> = {};
  for (const [given, text] of Object.entries(objectIn(value, where))) {
    const key = keys.find((each) => each === given);
    if (key === undefined) {
      const meant = nearest(given, keys);
      throw wrongUsage(`${where} has no setting "${given}".${meant === null ? "" : ` Did you mean "${meant}"?`}`);
    }
    if (typeof text !== "string") throw wrongUsage(`${key} of ${where} must be a text.`);
    found[key] = text;
  }
  return found;
}

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export async function writeJsonFile(
  file: string,
  value: unknown,
  { mode }: { readonly mode: 0o600 | 0o644 },
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, ...(mode === 0o600 && { mode: 0o700 }) });
  const temporary = `${file}.${process.pid}`;
  try {
    // The mode of `writeFile` goes through the umask, and does not change a file that is there.
    await writeFile(temporary, "", { mode });
    await chmod(temporary, mode);
    await writeFile(temporary, `${JSON.stringify(value, undefined, 2)}\n`);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
