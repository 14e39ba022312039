import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { authData, credentials, send } from "../test/pushes.ts";
import { refusal, type SmallPlatform, startSmallPlatform, success } from "../test/small-platform.ts";
import { createCallbacks } from "./index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```ts\n(.*?)```/gsu)].map((match) => match[1] ?? "");
const [first = "", refused = "", ...promising] = examples;
const cwd = new URL("..", import.meta.url);

let platform: SmallPlatform | undefined;
afterEach(() => platform?.close());

function asModule(code: string): string[] {
  return ["--input-type=module-typescript", "--eval", code];
}

async function settings(answer: Parameters<typeof startSmallPlatform>[0]) {
  platform = await startSmallPlatform(answer);
  return {
    PATH: process.env["PATH"] ?? "",
    CARDWRIGHT_URL: platform.clientOf().baseUrl,
    CARDWRIGHT_API_KEY: "key",
    CARDWRIGHT_API_SECRET: credentials.apiSecret,
    CARDWRIGHT_APP_ID: credentials.appId,
  };
}

test("the first example lists the cards and answers the platform's callbacks", async () => {
  const row = { card_no: "C1", status: "Activated" };
  const env = await settings(() => success({ list: [row] }));
  // A free port: the example's own may be taken.
  const listening = first.replace(
    /;\n$/u,
    '.on("listening", function () { console.log(`port ${this.address().port}`); });\n',
  );
  const child = spawn(process.execPath, asModule(listening), { cwd, env: { ...env, PORT: "0" } });
  try {
    let said = "";
    const port = await new Promise<string>((resolve, reject) => {
      child.stderr.on("data", (text: Buffer) => (said += text.toString()));
      child.stdout.on("data", (text: Buffer) => {
        said += text.toString();
        const found = /port (\d+)/u.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once("close", () => reject(new Error(said)));
    });
    expect(said).toContain("C1 Activated");
    const callbacks = createCallbacks(credentials);
    const ask = (amount: number) =>
      send(`http://127.0.0.1:${port}`, callbacks, {
        action: "Auth",
        data: { ...authData, consume_no: `O${amount}`, amount },
      });
    expect(await ask(500)).toMatchObject({ json: { code: 0 } });
    expect(await ask(500.01)).toMatchObject({ json: { reason: "exceeds_limit" } });
  } finally {
    child.kill("SIGKILL");
  }
});

test("the example of errors tells a refusal by its code, name and field", async () => {
  const env = await settings(() => refusal(3005, "reserve too low"));
  const { stdout } = await promisify(execFile)(process.execPath, asModule(refused), { cwd, env });
  expect(stdout).toBe("3005 reserve_too_low -\n");
});

test("there are examples whose comments promise what they print", () => {
  expect(promising.length).toBeGreaterThanOrEqual(2);
});

test.each(promising)("an example prints what its comments say: %#", async (example) => {
  const promised = [...example.matchAll(/^(?:if \(.*\) )?console\.log\(.*\); \/\/ (.*)$/gmu)].map((match) => match[1]);
  expect(promised.length).toBeGreaterThan(0);
  const { stdout } = await promisify(execFile)(process.execPath, asModule(example), { cwd });
  expect(stdout.trimEnd().split("\n")).toEqual(promised);
});
