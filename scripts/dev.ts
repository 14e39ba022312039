import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** `npm start` that begins anew whenever a source file changes. Node watches what was imported; nothing is built. */
const scripts = dirname(fileURLToPath(import.meta.url));
const child = spawn(
  process.execPath,
  ["--watch", "--watch-preserve-output", join(scripts, "start.ts"), ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => child.kill(signal));
}
child.on("exit", (code) => process.exit(code ?? 0));
