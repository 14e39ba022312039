/**
 * Every error code a merchant can see (contract section 5). One table: validation, the HTTP envelope, OpenAPI and the
 * SDK read it, so a code without both messages cannot exist.
 */
export type Language = "en_US" | "zh_CN";

/**
 * `field`: the message follows the name of the wrong field (`city only supports English input`).
 * `whole`: the message stands alone, because it is about the call and not about one field.
 */
type Wording = "field" | "whole";

interface ErrorEntry {
  readonly code: number;
  readonly wording: Wording;
  readonly en: string;
  readonly zh: string;
  /** What happened, one sentence for the reference. */
  readonly explanation: string;
  /** What the merchant does about it. */
  readonly remedy: string;
}

export const ERRORS = {
  system_error: {
    code: 1001,
    wording: "whole",
    en: "system error",
    zh: "系统错误",
    explanation: "Something failed on our side; nothing of the call was kept.",
    remedy: "Try again with the same unique number; if it lasts, contact the operator.",
  },
  api_key_required: {
    code: 1002,
    wording: "whole",
    en: "Api-Key required",
    zh: "缺少 Api-Key",
    explanation: "The `Api-Key` header is missing or empty.",
    remedy: "Send the Api-Key of your credential in every request.",
  },
  ip_not_allowed: {
    code: 1003,
    wording: "whole",
    en: "IP address not allowed",
    zh: "IP 地址不在白名单内",
    explanation: "The caller's address is not in the allow-list of this Api-Key.",
    remedy: "Call from a listed address, or have the address added.",
  },
  invalid_parameter: {
    code: 1004,
    wording: "field",
    en: "invalid parameter",
    zh: "参数无效",
    explanation: "The named field is missing, empty, out of range or not of the stated format.",
    remedy: "Correct the named field.",
  },
  timestamp_invalid: {
    code: 1005,
    wording: "whole",
    en: "timestamp invalid or expired",
    zh: "时间戳无效或已过期",
    explanation: "The `Timestamp` header is missing, is not 13 digits, is older than 60 seconds or lies in the future.",
    remedy: "Send the present Unix time in milliseconds and keep the clock synchronised.",
  },
  access_token_required: {
    code: 1006,
    wording: "whole",
    en: "Access-Token required",
    zh: "缺少 Access-Token",
    explanation: "The `Access-Token` header is missing or empty.",
    remedy: "Get a token and send it in every other request.",
  },
  access_token_invalid: {
    code: 1007,
    wording: "whole",
    en: "Access-Token invalid or expired",
    zh: "Access-Token 无效或已过期",
    explanation: "The token is unknown, older than 24 hours, or belongs to another or a disabled credential.",
    remedy: "Get a new token.",
  },
  api_key_unknown: {
    code: 1008,
    wording: "whole",
    en: "Api-Key does not exist",
    zh: "Api-Key 不存在",
    explanation: "No credential has this Api-Key.",
    remedy: "Check the key and the base URL: sandbox and production have different keys.",
  },
  too_frequent: {
    code: 1009,
    wording: "whole",
    en: "too frequent",
    zh: "请求过于频繁",
    explanation: "The address or the credential made too many requests.",
    remedy: "Wait the number of seconds in `Retry-After`.",
  },
  api_key_disabled: {
    code: 1010,
    wording: "whole",
    en: "Api-Key not enabled",
    zh: "Api-Key 未启用",
    explanation: "The credential exists but is switched off.",
    remedy: "Enable it, or use another credential.",
  },
  api_key_expired: {
    code: 1011,
    wording: "whole",
    en: "Api-Key expired",
    zh: "Api-Key 已过期",
    explanation: "The credential's last day has passed.",
    remedy: "Create a new credential.",
  },
  mode_not_supported: {
    code: 1012,
    wording: "whole",
    en: "mode not supported",
    zh: "不支持该模式",
    explanation: "The endpoint or the product number belongs to the mode that this merchant does not use.",
    remedy: "Use the endpoints and product numbers of your own mode.",
  },
  pci_not_enabled: {
    code: 1013,
    wording: "whole",
    en: "PCI display not enabled",
    zh: "未开通 PCI 展示",
    explanation: "This merchant may not receive or show card data.",
    remedy: "Ask the operator to enable it.",
  },
  client_token_invalid: {
    code: 1014,
    wording: "whole",
    en: "client token invalid or used",
    zh: "客户端令牌无效或已使用",
    explanation: "A client access token works once and for 60 seconds.",
    remedy: "Get a new client access token for each display.",
  },
  parent_origin_not_allowed: {
    code: 1015,
    wording: "whole",
    en: "parent page Origin not on the list",
    zh: "父页面 Origin 不在白名单内",
    explanation: "The page that embeds the card frame has an origin that is not on the merchant's list.",
    remedy: "Have the origin added, or embed the frame in a listed page.",
  },
  request_origin_mismatch: {
    code: 1016,
    wording: "whole",
    en: "request Origin differs from the hosted page",
    zh: "请求 Origin 与托管页面不一致",
    explanation: "Card data was asked for by something other than our hosted page.",
    remedy: "Embed the hosted page and let it make the request.",
  },
  nonce_replayed: {
    code: 1017,
    wording: "whole",
    en: "replayed or nonce used",
    zh: "请求重放或 nonce 已使用",
    explanation: "The same frame request came twice.",
    remedy: "Reload the frame with a new client access token.",
  },
  sec_fetch_failed: {
    code: 1018,
    wording: "whole",
    en: "Sec-Fetch check failed",
    zh: "Sec-Fetch 校验失败",
    explanation: "The `Sec-Fetch-*` headers are not those of a same-origin fetch inside an iframe.",
    remedy: "Use a current browser and the hosted page.",
  },
  end_not_after_start: {
    code: 1019,
    wording: "whole",
    en: "end time not after start time",
    zh: "结束时间必须晚于开始时间",
    explanation: "`end_time` is not later than `start_time`.",
    remedy: "Exchange or correct the two times.",
  },
  range_too_long: {
    code: 1020,
    wording: "whole",
    en: "time range too long",
    zh: "时间范围过长",
    explanation: "`start_time` and `end_time` are more than 90 days apart.",
    remedy: "Ask for at most 90 days in one request.",
  },
  merchant_unknown: {
    code: 1021,
    wording: "whole",
    en: "merchant does not exist",
    zh: "商户不存在",
    explanation: "The credential's merchant is gone.",
    remedy: "Contact the operator.",
  },
  merchant_status_abnormal: {
    code: 1022,
    wording: "whole",
    en: "merchant status abnormal",
    zh: "商户状态异常",
    explanation: "The merchant is suspended or closed.",
    remedy: "Contact the operator.",
  },
  cardholder_exists: {
    code: 2001,
    wording: "whole",
    en: "cardholder exists",
    zh: "持卡人已存在",
    explanation: "`cardholder_unique_no` belongs to a cardholder already.",
    remedy: "Use the cardholder that exists, or another unique number.",
  },
  cardholder_unknown: {
    code: 2002,
    wording: "whole",
    en: "cardholder does not exist",
    zh: "持卡人不存在",
    explanation: "You have no cardholder with this number.",
    remedy: "Check the number.",
  },
  cardholder_already_verified: {
    code: 2003,
    wording: "whole",
    en: "cardholder already verified",
    zh: "持卡人已通过认证",
    explanation: "The cardholder is `Approved`; there is nothing to apply for.",
    remedy: "Go on with the card application.",
  },
  verification_pending: {
    code: 2004,
    wording: "whole",
    en: "verification pending",
    zh: "认证进行中",
    explanation: "An application of this cardholder is being checked.",
    remedy: "Poll the cardholder until its status is final.",
  },
  verification_failed: {
    code: 2005,
    wording: "whole",
    en: "verification failed",
    zh: "认证失败",
    explanation: "The identity check refused this person.",
    remedy: "Read `fail_reason` of the cardholder and apply again with a corrected identity.",
  },
  kyc_unavailable: {
    code: 2006,
    wording: "whole",
    en: "could not fetch KYC data",
    zh: "获取 KYC 数据失败",
    explanation: "The KYC service could not be reached or refused the share token.",
    remedy: "Make a new share token and apply again.",
  },
  address_characters: {
    code: 2007,
    wording: "field",
    en: "only supports letters, digits, spaces and - / #",
    zh: "仅支持字母、数字、空格和 - / #",
    explanation: "An address field holds a character that cannot be printed on a card or a letter.",
    remedy: "Use letters, digits, spaces and `- / # . , '` only.",
  },
  english_only: {
    code: 2008,
    wording: "field",
    en: "only supports English input",
    zh: "仅支持英文输入",
    explanation: "An address field holds characters beyond ASCII.",
    remedy: "Write the address in English letters.",
  },
  country_not_supported: {
    code: 2009,
    wording: "field",
    en: "country not supported",
    zh: "不支持该国家",
    explanation: "No cards are issued to addresses in this country.",
    remedy: "Use an address in a supported country.",
  },
  postal_code_mismatch: {
    code: 2010,
    wording: "field",
    en: "postal code does not match",
    zh: "邮政编码不匹配",
    explanation: "The postal code does not have the form of that country.",
    remedy: "Correct the postal code or the country.",
  },
  unique_no_differs: {
    code: 2011,
    wording: "whole",
    en: "unique number differs",
    zh: "唯一编号不一致",
    explanation: "On an update, `cardholder_unique_no` is not the one stored for this cardholder.",
    remedy: "Send the unique number of the first application.",
  },
  account_unknown: {
    code: 3001,
    wording: "whole",
    en: "account does not exist",
    zh: "账户不存在",
    explanation: "The cardholder has no account yet: accounts exist from approval on.",
    remedy: "Wait until the cardholder is `Approved`.",
  },
  balance_too_low: {
    code: 3002,
    wording: "whole",
    en: "account balance too low",
    zh: "账户余额不足",
    explanation: "The cardholder's available balance does not cover the amount.",
    remedy: "Transfer credit in, or ask for less.",
  },
  amount_invalid: {
    code: 3003,
    wording: "field",
    en: "amount invalid",
    zh: "金额无效",
    explanation: "`balance` is not a positive decimal amount with at most two decimals.",
    remedy: 'Send an amount like `"100.00"`.',
  },
  transfer_unique_no_reused: {
    code: 3004,
    wording: "whole",
    en: "transfer_unique_no used with other content",
    zh: "transfer_unique_no 已用于其他内容",
    explanation: "A transfer with this unique number and other content was made before.",
    remedy: "Use a new unique number for a new transfer.",
  },
  reserve_too_low: {
    code: 3005,
    wording: "whole",
    en: "reserve too low",
    zh: "储备金不足",
    explanation: "The merchant's available reserve does not cover the amount.",
    remedy: "Recharge the reserve.",
  },
  transfer_type_unknown: {
    code: 3006,
    wording: "field",
    en: "transfer type unknown",
    zh: "划转类型不存在",
    explanation: "`type` is neither `In` nor `Out`.",
    remedy: "Send `In` or `Out`.",
  },
  transfer_unknown: {
    code: 3007,
    wording: "whole",
    en: "transfer does not exist",
    zh: "划转记录不存在",
    explanation: "You have no transfer with this number.",
    remedy: "Check the number.",
  },
  card_unknown: {
    code: 4001,
    wording: "whole",
    en: "card does not exist",
    zh: "卡片不存在",
    explanation: "You have no card with this number.",
    remedy: "Check the number.",
  },
  package_unknown: {
    code: 4002,
    wording: "whole",
    en: "package does not exist or is off",
    zh: "卡套餐不存在或已停用",
    explanation: "No package that you may open has this number.",
    remedy: "Take a `package_no` from the package list.",
  },
  bin_unknown: {
    code: 4003,
    wording: "whole",
    en: "BIN does not exist or is off",
    zh: "卡 BIN 不存在或已停用",
    explanation: "No BIN that you may open cards on has this number.",
    remedy: "Take a `card_bin_no` from the list of supported BINs.",
  },
  card_unique_no_reused: {
    code: 4004,
    wording: "whole",
    en: "card_unique_no used with other content",
    zh: "card_unique_no 已用于其他内容",
    explanation: "A card with this unique number and other content was applied for before.",
    remedy: "Use a new unique number for a new card.",
  },
  card_not_activated: {
    code: 4005,
    wording: "whole",
    en: "card not Activated",
    zh: "卡片未激活",
    explanation: "The operation needs a card in status `Activated`.",
    remedy: "Activate or unfreeze the card first.",
  },
  card_type_not_offered: {
    code: 4006,
    wording: "whole",
    en: "card type not offered by the product",
    zh: "该产品不支持此卡类型",
    explanation: "The product does not make virtual or physical cards, as asked.",
    remedy: "Choose another `card_type` or another product.",
  },
  address_required: {
    code: 4007,
    wording: "field",
    en: "address required",
    zh: "地址必填",
    explanation: "A physical card needs an address to be sent to.",
    remedy: "Send `address_info`.",
  },
  cvv_mismatch: {
    code: 4008,
    wording: "whole",
    en: "CVV does not match",
    zh: "CVV 不匹配",
    explanation: "The decrypted CVV is not this card's. The try is counted.",
    remedy: "Have the cardholder read it again from the card.",
  },
  last_four_mismatch: {
    code: 4009,
    wording: "whole",
    en: "last four digits do not match",
    zh: "卡号后四位不匹配",
    explanation: "`card_last_no` is not this card's. The try is counted.",
    remedy: "Have the cardholder read it again from the card.",
  },
  wrong_type: {
    code: 4010,
    wording: "field",
    en: "parameter of the wrong type",
    zh: "参数类型错误",
    explanation: "The named field has another JSON type than stated, for instance a number as a string.",
    remedy: "Send the stated JSON type.",
  },
  status_change_not_allowed: {
    code: 4011,
    wording: "whole",
    en: "status change not allowed",
    zh: "不允许的状态变更",
    explanation: "The card's present status does not permit this operation.",
    remedy: "Read the card's status; `Delete` and `Fail` are final.",
  },
  card_of_other_cardholder: {
    code: 4012,
    wording: "whole",
    en: "card is not this cardholder's",
    zh: "卡片不属于该持卡人",
    explanation: "Card and cardholder exist, but the card belongs to another of your cardholders.",
    remedy: "Send the number of the card's own cardholder.",
  },
  consumption_unknown: {
    code: 4013,
    wording: "whole",
    en: "consumption does not exist",
    zh: "消费记录不存在",
    explanation: "You have no consumption with this number.",
    remedy: "Check the number.",
  },
  cannot_be_decrypted: {
    code: 4014,
    wording: "whole",
    en: "cannot be decrypted",
    zh: "无法解密",
    explanation: "The value is not Base64 of AES/ECB/PKCS5Padding under your `apiSecret`, or was sent in plain.",
    remedy: "Encrypt with the secret of the credential that makes the call.",
  },
  too_many_tries: {
    code: 4015,
    wording: "whole",
    en: "too many wrong tries, locked for a while",
    zh: "错误次数过多，已暂时锁定",
    explanation: "Five wrong tries in a row lock the activation of the card for 30 minutes.",
    remedy: "Wait 30 minutes.",
  },
  pin_format: {
    code: 4016,
    wording: "whole",
    en: "PIN format invalid",
    zh: "PIN 格式错误",
    explanation: "A PIN is 6 digits without three or more identical or sequential digits in a row.",
    remedy: "Have the cardholder choose another PIN.",
  },
  not_for_virtual: {
    code: 4017,
    wording: "whole",
    en: "not for virtual cards",
    zh: "不支持虚拟卡",
    explanation: "The operation exists for physical cards only.",
    remedy: "Use it with physical cards.",
  },
  cardholder_not_approved: {
    code: 4018,
    wording: "whole",
    en: "cardholder not Approved",
    zh: "持卡人未通过认证",
    explanation: "Cards are issued to cardholders in status `Approved` only.",
    remedy: "Wait for approval, or apply again.",
  },
  card_limit_reached: {
    code: 4019,
    wording: "whole",
    en: "card limit of the product reached",
    zh: "已达到该产品的开卡数量上限",
    explanation: "The cardholder or merchant has as many cards of this product as it permits.",
    remedy: "Delete a card, or use another product.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof ERRORS;
export type ErrorCode = (typeof ERRORS)[ErrorName]["code"];

export interface ErrorDescription extends ErrorEntry {
  readonly name: ErrorName;
}

export const SUCCESS = { code: 0, en: "Success", zh: "成功" } as const;

const names: readonly ErrorName[] = Object.keys(ERRORS).filter(isErrorName);

/** All errors in the order of their codes. */
export const errorList: readonly ErrorDescription[] = names.map(errorByName);

/** True for a name of the registry. */
export function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ERRORS, name);
}

/** The registry's entry of one error, with its name. */
export function errorByName(name: ErrorName): ErrorDescription {
  return { name, ...ERRORS[name] };
}

/** The entry of a numeric code as it stands in an envelope; undefined for 0 and for codes that do not exist. */
export function errorByCode(code: number): ErrorDescription | undefined {
  return errorList.find((error) => error.code === code);
}

/** The numeric code of the envelope (section 5). */
export function codeOf(name: ErrorName): ErrorCode {
  return ERRORS[name].code;
}

/** The envelope's `msg` without a field (sections 1 and 5). */
export function messageOf(name: ErrorName | "success", language: Language): string {
  const entry = name === "success" ? SUCCESS : ERRORS[name];
  return language === "zh_CN" ? entry.zh : entry.en;
}

/**
 * The envelope's `msg` for an error found in a field, `<field> <message>` (section 1). `field` is a dotted path. Errors
 * that are about the whole call keep their message without the field.
 */
export function fieldMessage(options: { field: string; name: ErrorName; language: Language }): string {
  const message = messageOf(options.name, options.language);
  return ERRORS[options.name].wording === "field" ? `${options.field} ${message}` : message;
}

/** The `Language` header: `zh_CN` is Chinese, everything else (also absent) is English (section 1). */
export function languageOf(header: string | undefined): Language {
  return header === "zh_CN" ? "zh_CN" : "en_US";
}
