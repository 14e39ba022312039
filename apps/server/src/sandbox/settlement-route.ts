import { createHash, timingSafeEqual } from "node:crypto";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Pool } from "pg";
import { z } from "zod";
import { isDay } from "#settlement/index.ts";
import type { MovableClock } from "./clock.ts";
import { isDayOver, settlementFile } from "./network-book.ts";
import { faults, send } from "./sandbox-call.ts";

export interface SettlementRouteDeps {
  readonly pool: Pool;
  readonly clock: Pick<MovableClock, "now">;
  /** Who shows it may fetch the network's settlement file, which has the transactions of every merchant. */
  readonly networkToken: string;
}

/** The network's daily file, as the operator of the platform fetches it from the real one. */
export function settlementRoute(app: FastifyInstance, deps: SettlementRouteDeps): void {
  app.get("/settlement/:day", (request, reply) => sendSettlementFile(deps, request, reply));
}

function sendSettlementFile(deps: SettlementRouteDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isBearer(request.headers.authorization, deps.networkToken)) {
    return send(reply, faults.network_unauthorized);
  }
  const parsed = z.object({ day: z.string().max(10) }).safeParse(request.params);
  const day = parsed.success ? parsed.data.day : "";
  if (!isDay(day)) {
    return send(reply, faults.day_unknown);
  }
  if (!isDayOver(day, deps.clock.now())) {
    return send(reply, faults.day_not_over);
  }
  return reply
    .type("text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="sandbox-${day}.csv"`)
    .send(Readable.from(settlementFile(deps.pool, day)));
}

/** Digests have one length, so the comparison tells nothing about the token. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}
