/**
 * A lock file without the links that npm makes to this repository's own packages: they are paths and not versions, and npm makes them from
 * `workspaces` wherever it installs. npm writes them back whenever it saves a package.
 */
export function lockWithoutLinks(present: string): string {
  const lock: unknown = JSON.parse(present);
  if (!isRecord(lock) || !isRecord(lock["packages"])) throw new Error("package-lock.json has no packages");
  const packages = Object.entries(lock["packages"]).filter(([, entry]) => !isRecord(entry) || entry["link"] !== true);
  return `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
