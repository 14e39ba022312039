import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { signStandard, signV1 } from "@cardwright/signing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bin, newPerson, type Person } from "./command-line.ts";

/** What the command does without a platform. */

vi.setConfig({ testTimeout: 60_000 });

let person: Person;

beforeAll(async () => {
  person = await newPerson();
});

afterAll(() => person.leave());

const file = (name: string): string => join(person.home, name);

test("help and version go to stdout, wrong usage to stderr with code 2", async () => {
  const [bare, help, group, version, unknown, flag] = await Promise.all([
    person.types([]),
    person.types(["help", "cards", "freeze"]),
    person.types(["cards", "--help"]),
    person.start(["--version"]).ended,
    person.start(["crads", "list"]).ended,
    person.types(["cards", "list", "--al", "--json"]),
  ]);
  expect(bare).toMatchObject({ code: 0, stderr: "" });
  expect(bare.stdout).toContain("Exit codes");
  expect(help.stdout).toContain("cardwright cards freeze CARD_NO");
  expect(group.stdout).toContain("cards client-token CARD_NO");
  expect(version).toMatchObject({ code: 0, stdout: "0.1.0\n", stderr: "" });
  expect(unknown).toEqual({
    code: 2,
    stdout: "",
    stderr: "error: There is no command crads. Did you mean cards?\ncardwright help lists all.\n",
  });
  expect(flag).toMatchObject({ code: 2, stdout: "" });
  expect(JSON.parse(flag.stderr)).toMatchObject({ error: { exit_code: 2, message: expect.stringContaining("--all") } });
});

test("init writes names and no secrets, adds another profile, and changes none that is there", async () => {
  const first = await person.types(["init", "--app-id", "app_1"], { folder: "project" });
  expect(first).toMatchObject({ code: 0 });
  const written = readFileSync(file("project/cardwright.json"), "utf8");
  expect(JSON.parse(written)).toEqual({
    profiles: {
      default: {
        base_url: "http://127.0.0.1:4600",
        app_id: "app_1",
        api_key_env: "CARDWRIGHT_API_KEY",
        api_secret_env: "CARDWRIGHT_API_SECRET",
        webhook_secret_env: "CARDWRIGHT_WEBHOOK_SECRET",
      },
    },
  });
  const again = await person.types(["init", "--app-id", "app_2"], { folder: "project" });
  expect(again).toMatchObject({ code: 1, stdout: "" });
  expect(readFileSync(file("project/cardwright.json"), "utf8")).toBe(written);
  const other = [
    "init",
    "--profile",
    "production",
    "--base-url",
    "https://cards.example.com/",
    "--api-key-env",
    "PROD_KEY",
  ];
  expect(await person.types(other, { folder: "project" })).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(file("project/cardwright.json"), "utf8"))).toMatchObject({
    profiles: {
      default: { app_id: "app_1" },
      production: { base_url: "https://cards.example.com", api_key_env: "PROD_KEY" },
    },
  });
});

test("secrets are written only when asked for, into a file that only its user may read", async () => {
  const stdin = "my-key\nmy-secret\n\n";
  const done = await person.types(["init", "--with-secrets"], { folder: "private", stdin });
  expect(done).toMatchObject({ code: 0 });
  expect(done.stderr).toContain("version control");
  expect(statSync(file("private/cardwright.json")).mode & 0o777).toBe(0o600);
  expect(readFileSync(file("private/cardwright.json"), "utf8")).toContain('"api_secret": "my-secret"');
});

test("the configuration of a folder above applies, a broken one is named, and a profile must exist", async () => {
  await person.types(["init", "--base-url", "http://127.0.0.1:9"], { folder: "above" });
  const below = await person.types(["cards", "list"], { folder: "above/src/deep", env: { CARDWRIGHT_API_KEY: "k" } });
  expect(below).toMatchObject({ code: 3, stdout: "" });
  const missing = await person.types(["cards", "list", "--profile", "defualt"], { folder: "above" });
  expect(missing).toMatchObject({ code: 2 });
  expect(missing.stderr).toContain('There is no profile "defualt". Did you mean "default"?');
  writeFileSync(file("above/cardwright.json"), '{"profiles":{"default":{"base_ulr":"x"}}}');
  const typo = await person.types(["cards", "list"], { folder: "above" });
  expect(typo).toMatchObject({ code: 2, stdout: "" });
  expect(typo.stderr).toContain('no setting "base_ulr". Did you mean "base_url"?');
  writeFileSync(file("above/cardwright.json"), "{");
  expect((await person.types(["cards", "list"], { folder: "above" })).stderr).toContain("is not JSON");
  expect((await person.types(["whoami", "--config", "nowhere.json"])).stderr).toContain(
    "There is no configuration file",
  );
  expect((await person.types(["whoami", "--base-url", "cards.example.com"])).code).toBe(2);
});

test("a login that others may read is warned of", async () => {
  const folder = { XDG_CONFIG_HOME: file("xdg") };
  const login = { base_url: "http://127.0.0.1:9", app_id: "a", api_key: "k", api_secret: "s".repeat(32) };
  spawnSync("mkdir", ["-p", file("xdg/cardwright")]);
  writeFileSync(file("xdg/cardwright/credentials.json"), JSON.stringify({ profiles: { default: login } }));
  chmodSync(file("xdg/cardwright/credentials.json"), 0o644);
  const open = await person.types(["cards", "list"], { env: folder });
  expect(open).toMatchObject({ code: 3 });
  expect(open.stderr).toContain("chmod 600");
  chmodSync(file("xdg/cardwright/credentials.json"), 0o600);
  const closed = await person.types(["cards", "list"], { env: folder });
  expect(closed.stderr).not.toContain("chmod");
});

const timestamp = "1795680795109";
const data = '{"card_no":"C1","amount":12.5,"detail":""}';
const body = `{"id":"push_1","action":"Auth","data":${data}}`;
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const keys = { CARDWRIGHT_APP_ID: "app_demo", CARDWRIGHT_API_SECRET: "secret_demo", CARDWRIGHT_WEBHOOK_SECRET: secret };
const v1 = (dataText = data): string => signV1({ appId: "app_demo", apiSecret: "secret_demo", timestamp, dataText });
const standard = (text = body): string =>
  signStandard({ id: "push_1", timestampSeconds: 1_795_680_795, body: text, secret });
const message = (signature: string, webhookSignature: string): string =>
  [
    "POST /hook HTTP/1.1",
    "Content-Type: application/json",
    `Timestamp: ${timestamp}`,
    `Signature: ${signature}`,
    "webhook-id: push_1",
    "webhook-timestamp: 1795680795",
    `webhook-signature: ${webhookSignature}`,
    "",
    body,
  ].join("\r\n");

test("a callback in an HTTP message is verified from a file, from stdin and from two files", async () => {
  const good = message(v1(), standard());
  writeFileSync(file("good.http"), good);
  writeFileSync(file("headers.txt"), good.split("\r\n\r\n")[0] ?? "");
  writeFileSync(file("body.json"), body);
  const ways = [["good.http"], ["-"], ["--headers", "headers.txt", "--body", "body.json"]];
  const right = { code: 0, stderr: "", stdout: "ok     V1: right\nok     Standard Webhooks: right\n" };
  for (const way of ways) {
    expect(await person.types(["verify", ...way], { env: keys, stdin: good })).toEqual(right);
  }
  expect(await person.start(["verify", "-"], { env: keys, stdin: good }).ended).toEqual(right);
  const old = await person.types(["verify", "good.http", "--max-age", "5m", "--json"], { env: keys });
  expect(old).toMatchObject({ code: 1, stderr: "" });
  expect(JSON.parse(old.stdout)).toMatchObject({
    verified: false,
    signatures: [{ why: expect.stringMatching(/^the time /u) }, {}],
  });
});

test("a body that was changed when it was saved is told from a wrong one", async () => {
  const pretty = JSON.stringify(JSON.parse(body), undefined, 2);
  const saved = JSON.stringify({
    headers: {
      Timestamp: timestamp,
      Signature: v1(),
      "webhook-id": "push_1",
      "webhook-timestamp": "1795680795",
      "webhook-signature": standard(),
    },
    body: `${body}\n`,
  });
  const broken = await person.types(["verify", "-"], { env: keys, stdin: saved });
  expect(broken.stdout).toBe(
    "ok     V1: right\nWRONG  Standard Webhooks: the signature is another one: it is right without the line break at the end, which was added when it was saved\n",
  );
  const rewritten = await person.types(["verify", "-"], {
    env: keys,
    stdin: message(v1(), standard()).replace(body, pretty),
  });
  expect(rewritten.stdout).toContain("it is right for the same body in compact JSON");
  const unkeyed = await person.types(["verify", "-"], { stdin: saved });
  expect(unkeyed).toMatchObject({ code: 4 });
  const explained = await person.types(["verify", "-", "--explain"], { env: keys, stdin: message(v1(), standard()) });
  expect(explained.stdout).toContain(`amount=12.5&appId=app_demo&card_no=C1&detail=&timestamp=${timestamp}\n`);
  expect(explained.stdout).toContain(`push_1.1795680795.${body}\n`);
  for (const word of ["secret_demo", secret]) expect(explained.stdout).not.toContain(word);
});

test("an older Node is told which one is needed, in a sentence", () => {
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.9.0' } })";
  writeFileSync(file("older.cjs"), older);
  const ended = spawnSync(process.execPath, ["--require", file("older.cjs"), bin], { encoding: "utf8" });
  expect(ended).toMatchObject({ status: 1, stdout: "" });
  expect(ended.stderr).toMatch(/^cardwright runs on Node 24, and this is Node 20\.9\.0\. .*npm install.*\n$/u);
});

test("Ctrl-C ends a call that is under way, without a word and with a code of its own", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const asked = once(silent, "request");
  const env = { CARDWRIGHT_API_KEY: "k", CARDWRIGHT_BASE_URL: `http://127.0.0.1:${port}` };
  const whoami = person.start(["whoami"], { env });
  await asked;
  whoami.child.kill("SIGINT");
  expect(await whoami.ended).toEqual({ code: 130, stdout: "", stderr: "" });
  silent.closeAllConnections();
  silent.close();
});

test("npm links the command, and it runs on the Node that npm puts first on the PATH", () => {
  const links = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
  const env = { PATH: `${links}${delimiter}${process.env["PATH"] ?? ""}`, HOME: person.home };
  expect(spawnSync("cardwright", ["--version"], { encoding: "utf8", env })).toMatchObject({
    status: 0,
    stdout: "0.1.0\n",
  });
});

/** What bash offers for the last word of a line. */
function offered(script: string, line: string): readonly string[] {
  const words = line.split(" ");
  const ask = [
    `source ${script}`,
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})`,
    `COMP_CWORD=${words.length - 1}`,
    "_cardwright",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ];
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", ask.join("\n")], { encoding: "utf8" });
  if (stderr !== "") throw new Error(stderr);
  return stdout.split("\n").filter((word) => word !== "");
}

test("bash completes commands, second words, flags and their values", async () => {
  const { stdout } = await person.types(["completion", "bash"]);
  const script = file("completion.bash");
  writeFileSync(script, stdout);
  expect(spawnSync("bash", ["-n", script], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  expect(offered(script, "cardwright ca")).toEqual(["cardholders", "cards"]);
  expect(offered(script, "cardwright cards ")).toContain("client-token");
  expect(offered(script, "cardwright cards un")).toEqual(["unfreeze"]);
  expect(offered(script, "cardwright --profile x cards un")).toEqual(["unfreeze"]);
  expect(offered(script, "cardwright help clo")).toEqual(["clock"]);
  expect(offered(script, "cardwright events list --st")).toEqual(["--state"]);
  expect(offered(script, "cardwright events list --state G")).toEqual(["Given_up"]);
  expect(offered(script, "cardwright events list --language z")).toEqual(["zh_CN"]);
  expect(offered(script, "cardwright listen --fo")).toEqual(["--forward-to"]);
  expect(offered(script, "cardwright completion f")).toEqual(["fish"]);
  expect(offered(script, "cardwright cards show C1 --prof")).toEqual(["--profile"]);
});

test.each(["zsh", "fish"])("the script for %s is one that it can read, where it is installed", async (shell) => {
  const { code, stdout } = await person.types(["completion", shell]);
  expect(code).toBe(0);
  expect(stdout).toContain("client-token");
  const script = file(`completion.${shell}`);
  writeFileSync(script, stdout);
  const read = spawnSync(shell, ["-n", script], { encoding: "utf8" });
  expect(read.error === undefined ? [read.status, read.stderr] : [0, ""]).toEqual([0, ""]);
});

test("a reader that has enough is no failure, and nothing is left behind", () => {
  const line = `"${process.execPath}" "${bin}" completion bash | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", line], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: person.home },
  });
  expect(stderr).toBe("");
  expect(stdout).toBe("# cardwright completion bash\n0\n");
});

test("colours are for terminals, or for who forces them, and NO_COLOR takes them away", async () => {
  const [plain, forced, none, flag] = await Promise.all([
    person.types(["help"]),
    person.start(["help"], { env: { FORCE_COLOR: "1" } }).ended,
    person.types(["help"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } }),
    person.types(["help", "--no-color"], { env: { FORCE_COLOR: "1" } }),
  ]);
  expect(forced.stdout).toContain("\u001b[1mCommands");
  for (const { stdout } of [plain, none, flag]) expect(stdout).not.toContain("\u001b[");
});

test("what has compiled code lies in the user's own cache folder", async () => {
  const cache = file("own-cache");
  await person.start(["--version"], { env: { XDG_CACHE_HOME: cache } }).ended;
  expect(readdirSync(join(cache, "cardwright")).length).toBeGreaterThan(0);
});
