/** The process of `cardwright`: what it reads, writes, and how it ends. */
import { readFileSync } from "node:fs";
import { commands } from "./commands/index.ts";
import { exitCodes } from "./exit-codes.ts";
import { runCli } from "./run.ts";

const version = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const found = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "version") : "";
  return typeof found === "string" ? found : "";
};

/** Whoever reads the output has enough of it (`| head`), which is no failure; whatever would follow is not wanted. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : exitCodes.bug.code));
}

/** The first Ctrl-C lets the command tidy up, the second does not wait for it. */
const interrupted = new AbortController();
let signals = 0;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    signals += 1;
    if (signals > 1) process.exit(exitCodes.interrupted.code);
    interrupted.abort();
  });
}

process.exitCode = await runCli(commands, {
  words: process.argv.slice(2),
  env: process.env,
  folder: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
  version: version(),
});
// A connection that is kept open for a next call, or an idle stdin, must not keep the person waiting.
process.stdout.write("", () => process.exit());
