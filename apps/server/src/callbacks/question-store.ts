import type { Sql } from "#database/index.ts";
import type { QuestionTimings } from "./verdict.ts";

export interface QuestionRow {
  readonly merchantId: number;
  readonly consumeNo: string;
  /** Unix ms of business time. */
  readonly askedAtMs: number;
  readonly timings: QuestionTimings;
  readonly httpStatus: number | null;
  readonly answerCode: number | null;
  readonly verdict: string;
  /** A whole answer came after the deadline. */
  readonly late: boolean;
}

const insertStatement = `
INSERT INTO merchant_question
  (merchant_id, consume_no, asked_at, connect_ms, send_ms, first_byte_ms, done_ms, parse_ms, http_status, answer_code, verdict,
   late)
SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::real[], $5::real[], $6::real[], $7::real[], $8::real[],
  $9::smallint[], $10::integer[], $11::text[], $12::boolean[])
ON CONFLICT (merchant_id, consume_no) DO NOTHING`;

export async function insertQuestions(sql: Sql, rows: readonly QuestionRow[]): Promise<null[]> {
  await sql.query({
    name: "callbacks_insert_questions",
    text: insertStatement,
    values: [
      rows.map((row) => row.merchantId),
      rows.map((row) => row.consumeNo),
      rows.map((row) => row.askedAtMs),
      rows.map((row) => row.timings.connectMs),
      rows.map((row) => row.timings.sendMs),
      rows.map((row) => row.timings.firstByteMs),
      rows.map((row) => row.timings.doneMs),
      rows.map((row) => row.timings.parseMs),
      rows.map((row) => row.httpStatus),
      rows.map((row) => asInt4(row.answerCode)),
      rows.map((row) => row.verdict),
      rows.map((row) => row.late),
    ],
  });
  return rows.map(() => null);
}

export interface QuestionPage {
  readonly merchantId: number;
  /** About this purchase only. */
  readonly consumeNo?: string;
  /** Older than the question about this purchase: `consumeNo` of the last row of the page before. */
  readonly before?: string;
  /** Only those without a yes or no in time. */
  readonly unanswered?: boolean;
  readonly limit: number;
}

/** As the index of these questions has it. */
const isUnanswered = "verdict NOT IN ('approved', 'declined')";

/** Newest first: numbers of purchases go up with time, so it is a walk along the key, or along the index of those without an answer. */
export async function selectQuestions(sql: Sql, page: QuestionPage): Promise<QuestionRow[]> {
  const { rows } = await sql.query<{
    consume_no: string;
    asked_at: bigint;
    connect_ms: number | null;
    send_ms: number | null;
    first_byte_ms: number | null;
    done_ms: number | null;
    parse_ms: number | null;
    http_status: number | null;
    answer_code: number | null;
    verdict: string;
    late: boolean;
  }>(
    `SELECT consume_no, asked_at, connect_ms, send_ms, first_byte_ms, done_ms, parse_ms, http_status, answer_code, verdict, late
     FROM merchant_question
     WHERE merchant_id = $1 AND ($2::text IS NULL OR consume_no = $2) AND ($3::text IS NULL OR consume_no < $3)
       ${page.unanswered === true ? `AND ${isUnanswered}` : ""}
     ORDER BY consume_no DESC LIMIT $4`,
    [page.merchantId, page.consumeNo ?? null, page.before ?? null, page.limit],
  );
  return rows.map((row) => ({
    merchantId: page.merchantId,
    consumeNo: row.consume_no,
    askedAtMs: Number(row.asked_at),
    timings: {
      connectMs: row.connect_ms,
      sendMs: row.send_ms,
      firstByteMs: row.first_byte_ms,
      doneMs: row.done_ms,
      parseMs: row.parse_ms,
    },
    httpStatus: row.http_status,
    answerCode: row.answer_code,
    verdict: row.verdict,
    late: row.late,
  }));
}

/** The merchant chooses its codes; one that does not fit the column is left out. */
function asInt4(code: number | null): number | null {
  return code !== null && (code | 0) === code ? code : null;
}
