import type { FastifyPluginCallback } from "fastify";
import type { Logger } from "pino";
import { type Cardholders, webhookBodyBytesMax } from "#cardholders/index.ts";
import { describeError } from "./compose.ts";

export const kycWebhookPath = "/webhooks/sumsub";

/**
 * Where the KYC provider tells of its verdicts. Answers 200 to what it could handle, also when nothing changed; 401 to a wrong
 * digest; 500 when our side failed, so that the provider comes again.
 */
export function kycWebhooks(deps: { readonly cardholders: Cardholders; readonly log: Logger }): FastifyPluginCallback {
  return (app, _options, done) => {
    // The digest covers the raw bytes.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => parsed(null, body));
    app.post<{ Body: Buffer | undefined }>(
      kycWebhookPath,
      { bodyLimit: webhookBodyBytesMax },
      async (request, reply) => {
        const event = deps.cardholders.readWebhook({
          rawBody: request.body ?? Buffer.alloc(0),
          headers: request.headers,
        });
        if (!event.ok) {
          return reply.code(event.reason === "digest_mismatch" ? 401 : 400).send({ error: event.reason });
        }
        try {
          return { outcome: await deps.cardholders.handleWebhook(event.value) };
        } catch (error) {
          deps.log.error({ error: describeError(error) }, "a webhook of the KYC provider could not be handled");
          return reply.code(500).send({ error: "unexpected" });
        }
      },
    );
    done();
  };
}
