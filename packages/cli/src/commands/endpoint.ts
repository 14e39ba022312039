import { type Command, command } from "../command/command.ts";
import { CommandFailed } from "../exit-codes.ts";
import { showObject } from "./showing.ts";

const show = command({
  name: "endpoint show",
  summary: "Show how your callback endpoint stands: active or paused, and what waits for it",
  examples: ["endpoint show"],
  run: async ({ context }) => {
    const { client } = await context.session();
    showObject(context, await client.developer.endpoint());
    return undefined;
  },
});

const pause = command({
  name: "endpoint pause",
  summary: "Have no callbacks pushed for now; they are kept",
  more: "Auth questions go on: a purchase cannot wait.",
  examples: ["endpoint pause"],
  run: async ({ context }) => {
    const { client } = await context.session();
    showObject(context, await client.developer.pauseEndpoint());
    return undefined;
  },
});

const resume = command({
  name: "endpoint resume",
  summary: "Have callbacks pushed again, what was kept first",
  examples: ["endpoint resume"],
  run: async ({ context }) => {
    const { client } = await context.session();
    showObject(context, await client.developer.resumeEndpoint());
    return undefined;
  },
});

const test = command({
  name: "endpoint test",
  summary: "Have a test push sent to your endpoint now, and see what it answers",
  more: "A Card_update that changes nothing, with the header Test-Push. A success resumes an endpoint that failures have paused.",
  examples: ["endpoint test"],
  run: async ({ context }) => {
    const { client } = await context.session();
    const push = await client.developer.testEndpoint();
    showObject(context, push);
    if (!push.delivered) {
      throw new CommandFailed("refused", `The test push was not delivered: ${whyNot(push)}.`, {
        hint: 'Your endpoint must answer 2xx and the JSON {"code":0,"message":""} within 5 s.',
      });
    }
    return undefined;
  },
});

const whyNot = (push: { readonly error: string; readonly http_status: number }): string =>
  [push.error.replaceAll("_", " "), push.http_status === 0 ? "" : `HTTP ${push.http_status}`]
    .filter((part) => part !== "")
    .join(", ");

export const endpointCommands: readonly Command[] = [show, pause, resume, test];
