import { type Command, command } from "../command/command.ts";
import { readLogins, storeLogin } from "../config/credentials.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";
import { fixedDurationMs } from "../input/duration.ts";
import { showTable } from "./listing.ts";
import { showObject, timeIn } from "./showing.ts";

const hourMs = 3_600_000;
/** The platform takes a week at most. */
const overlapHoursMax = 168;

const list = command({
  name: "secrets list",
  summary: "List your webhook secrets, without the secrets themselves",
  examples: ["secrets list"],
  run: async ({ context }) => {
    const { client } = await context.session();
    const found = await client.developer.listWebhookSecrets();
    if (context.out.json) {
      context.out.value(found);
      return undefined;
    }
    showTable(
      context,
      [
        { title: "secret_id", of: (row) => row.secret_id },
        { title: "created", of: (row) => timeIn(context, row.created_at) },
        {
          title: "good_until",
          of: (row) => (row.expires_at === 0 ? "the next rotation" : timeIn(context, row.expires_at)),
        },
      ],
      found.list,
    );
    return undefined;
  },
});

const rotate = command({
  name: "secrets rotate",
  summary: "Make a new webhook secret; for a while callbacks are signed with the old one too",
  more: "The new secret is shown this once. With --save it goes into your login instead of onto the screen.",
  examples: ["secrets rotate --overlap 24h", "secrets rotate --overlap 7d --save"],
  flags: {
    overlap: { kind: "text", value: "TIME", fallback: "24h", about: "how long the old one goes on to sign, 0h to 7d" },
    save: { kind: "switch", about: "keep it in your login, which cardwright login has made, and do not show it" },
  },
  run: async ({ flags, context }) => {
    const hours = fixedDurationMs(flags.overlap) / hourMs;
    if (!Number.isInteger(hours) || hours > overlapHoursMax) {
      throw wrongUsage(`--overlap takes whole hours up to 7d, not "${flags.overlap}".`);
    }
    const { client, settings } = await context.session();
    const login = flags.save ? (await readLogins(settings.credentialsFile))[settings.profile] : undefined;
    // Before anything changes: a secret that is shown once must not be lost for want of a place.
    if (flags.save && login === undefined) {
      throw new CommandFailed("notLoggedIn", `Profile "${settings.profile}" has no login to keep it in.`, {
        hint: "Run cardwright login first, or leave --save out.",
      });
    }
    const rotated = await client.developer.rotateWebhookSecret({ overlap_hours: hours });
    if (login === undefined) {
      showObject(context, rotated);
      return undefined;
    }
    await storeLogin(settings.credentialsFile, {
      profile: settings.profile,
      login: { ...login, webhook_secrets: [rotated.secret, ...login.webhook_secrets] },
    });
    showObject(context, { ...rotated, secret: "kept in your login" });
    return undefined;
  },
});

export const secretCommands: readonly Command[] = [list, rotate];
