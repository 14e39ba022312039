import { CardwrightError } from "../errors.ts";
import type { AuthAnswer } from "./answers.ts";
import type { RawAnswer } from "./types.ts";

/** `message` is for people, here as in the contract; nobody is told what was wrong with a signature. */
function refusal(status: number, message: string): RawAnswer {
  return { status, body: JSON.stringify({ code: status, message }) };
}

export const wireAnswers = {
  taken: { status: 200, body: '{"code":0,"message":""}' },
  notVerified: refusal(401, "not verified"),
  notAsAgreed: refusal(400, "data not as agreed"),
  tooLarge: refusal(413, "body too large"),
  notPost: refusal(405, "only POST"),
  notTaken: refusal(500, "not taken"),
  notYetTaken: refusal(503, "not taken yet"),
  overloaded: refusal(503, "overloaded"),
} as const satisfies Record<string, RawAnswer>;

/** The answer to an `Auth` as it goes over the wire. Throws a CardwrightError for what is no answer. */
export function authAnswerOnWire(answer: AuthAnswer): RawAnswer {
  switch (answer?.kind) {
    case "approved": {
      const { approvedAmount } = answer;
      const part = approvedAmount === undefined ? {} : { approved_amount: approvedAmount };
      return { status: 200, body: JSON.stringify({ code: 0, message: "", ...part }) };
    }
    case "declined": {
      const { code, message, reason } = answer;
      return { status: 200, body: JSON.stringify({ code, message, reason }) };
    }
    case "left_to_platform":
      return refusal(503, "no decision");
    default:
      throw new CardwrightError("onAuth must give what approve(), decline() or leaveToPlatform() make");
  }
}
