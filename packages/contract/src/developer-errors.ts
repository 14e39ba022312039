/** The error codes of the developer API beside those that every endpoint can answer. */
import type { ErrorEntry } from "./error-registry.ts";

export const DEVELOPER_ERRORS = {
  callback_unknown: {
    code: 6001,
    wording: "whole",
    en: "callback does not exist",
    zh: "回调不存在",
    explanation: "You have no push with this id; pushes are kept for 30 days.",
    remedy: "Check the id.",
  },
  callback_url_missing: {
    code: 6002,
    wording: "whole",
    en: "no callback URL",
    zh: "未设置回调地址",
    explanation: "Your merchant has no callback URL, so nothing can be sent to it.",
    remedy: "Set the callback URL, in production through the operator.",
  },
  sandbox_only: {
    code: 6003,
    wording: "whole",
    en: "only in the sandbox",
    zh: "仅限沙盒环境",
    explanation: "In production this is not for the merchant to change.",
    remedy: "Ask the operator.",
  },
} as const satisfies Record<string, ErrorEntry>;
