import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clone } from "../documents.ts";
import type { SampleRequest } from "./requests.ts";

/**
 * The guide's samples in other languages, each built once and then fed with any number of requests through stdin: one line a
 * request, its fields in Base64 (`-` is a header that did not come), and one line back, `ok` or the reason.
 */
export interface Sample {
  readonly name: string;
  /** What the machine must have, and in which version at least. */
  readonly programs: readonly Program[];
  /** Answers the command that reads requests. */
  readonly build: (folder: string) => Promise<readonly [string, ...string[]]>;
}

export interface Program {
  readonly name: string;
  readonly versionWord: string;
  readonly least: readonly [major: number, minor: number];
}

const python: Program = { name: "python3", versionWord: "--version", least: [3, 9] };
const go: Program = { name: "go", versionWord: "version", least: [1, 19] };
const php: Program = { name: "php", versionWord: "--version", least: [8, 1] };
const java: readonly Program[] = ["javac", "java"].map((name) => ({ name, versionWord: "-version", least: [17, 0] }));

const guide = join(clone, "docs/guides/verify-callbacks");
const drivers = join(clone, "tests/docs/verify-callbacks");

export const samples: readonly Sample[] = [
  {
    name: "Python",
    programs: [python],
    build: async (folder) => {
      await copyFile(join(guide, "verify_callbacks.py"), join(folder, "verify_callbacks.py"));
      await copyFile(join(drivers, "driver.py"), join(folder, "driver.py"));
      return ["python3", join(folder, "driver.py")];
    },
  },
  {
    name: "Go",
    programs: [go],
    build: async (folder) => {
      await mkdir(join(folder, "callbacks"));
      await copyFile(join(guide, "verify_callbacks.go"), join(folder, "callbacks", "verify_callbacks.go"));
      await copyFile(join(drivers, "driver.go"), join(folder, "driver.go"));
      await writeFile(join(folder, "go.mod"), "module samples\n\ngo 1.19\n");
      await output(["go", "build", "-o", "driver", "."], { directory: folder });
      return [join(folder, "driver")];
    },
  },
  {
    name: "PHP",
    programs: [php],
    build: async (folder) => {
      await copyFile(join(guide, "verify_callbacks.php"), join(folder, "verify_callbacks.php"));
      await copyFile(join(drivers, "driver.php"), join(folder, "driver.php"));
      return ["php", join(folder, "driver.php")];
    },
  },
  {
    name: "Java",
    programs: java,
    build: async (folder) => ["java", ...quickStart, "-cp", await javaClasses(folder), "Driver"],
  },
];

/** V1 by parsing and writing again, with stand-ins for what fastjson 1 and 2 do. */
export const fastjsonSamples: readonly Sample[] = [false, true].map((keepsOrder) => ({
  name: keepsOrder ? "Java, as with fastjson 2" : "Java, as with fastjson 1",
  programs: java,
  build: async (folder) => {
    const words = ["-cp", await javaClasses(folder), `-DkeepsOrder=${keepsOrder}`, "Driver", "fastjson"];
    return ["java", ...quickStart, ...words];
  },
}));

/** For a program that lives for a second: no second compiler, no parallel collector. */
const quickStart = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] as const;

/** The classes are the same for all samples in Java, and the compiler takes longest. */
let classes: Promise<string> | null = null;
const javaClasses = (folder: string): Promise<string> => (classes ??= compileJava(folder));

async function compileJava(folder: string): Promise<string> {
  const standIns = ["JSON.java", "JSONObject.java"].map((name) => join(drivers, "fastjson/com/alibaba/fastjson", name));
  const verifiers = ["CallbackVerifier.java", "FastjsonVerifier.java"].map((name) => join(guide, name));
  await output(
    [
      "javac",
      "-J-XX:TieredStopAtLevel=1",
      "-encoding",
      "UTF-8",
      "-d",
      folder,
      join(drivers, "Driver.java"),
      ...verifiers,
      ...standIns,
    ],
    { directory: folder },
  );
  return folder;
}

/** What of a sample's programs this machine lacks, each as a phrase; empty when it can be run. */
export async function missingFor({ programs }: Sample): Promise<readonly string[]> {
  const found = await Promise.all(programs.map(async (program) => ({ program, isThere: await isThere(program) })));
  return found
    .filter(({ isThere }) => !isThere)
    .map(({ program: { name, least } }) => `no ${name} of version ${least.join(".")} or newer`);
}

async function isThere({ name, versionWord, least }: Program): Promise<boolean> {
  const told = await output([name, versionWord], { directory: "/" }).catch(() => "");
  const [, major = "0", minor = "0"] = /(\d+)(?:\.(\d+))?/u.exec(told) ?? [];
  return Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1]);
}

export async function verdicts(
  command: readonly [string, ...string[]],
  requests: readonly SampleRequest[],
): Promise<readonly string[]> {
  const input = requests.map((request) => `${lineOf(request)}\n`).join("");
  return (await output(command, { directory: "/", input })).trimEnd().split("\n");
}

function lineOf(request: SampleRequest): string {
  const { scheme, nowMs, timestamp, body } = request;
  const fields =
    scheme === "V1"
      ? [request.version, timestamp, request.signature, body, request.appId, request.apiSecret]
      : [request.id, timestamp, request.signatures, body, request.secrets.join(" ")];
  return [scheme, String(nowMs), ...fields.map(fieldOf)].join("\t");
}

function fieldOf(value: string | Uint8Array | undefined): string {
  return value === undefined ? "-" : Buffer.from(value).toString("base64");
}

/** A driver takes a second for all vectors; the first build of Go's standard library takes a minute on a slow machine. */
const programMsMax = 150_000;

/** What the program wrote; throws with its complaint when it did not end with 0. */
async function output(
  [program, ...words]: readonly [string, ...string[]],
  { directory, input = "" }: { readonly directory: string; readonly input?: string },
): Promise<string> {
  const child = spawn(program, words, { cwd: directory, env, stdio: "pipe", timeout: programMsMax });
  const parts: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  child.stderr.on("data", (part: Buffer) => complaints.push(part));
  // A program that ends early says why on stderr; the broken pipe to it is no news.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [code] = await once(child, "close");
  const complaint = Buffer.concat(complaints).toString("utf8");
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaint}`);
  // Java tells its version as a complaint.
  return Buffer.concat(parts).toString("utf8") || complaint;
}

/** Nothing is fetched: no newer Go, no module. */
const env = { ...process.env, GOTOOLCHAIN: "local", GOWORK: "off", GOPROXY: "off", GOFLAGS: "" };
