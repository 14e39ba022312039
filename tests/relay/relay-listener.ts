import { Agent, request } from "undici";

/** A callback as the stream brings it. */
export interface RelayedCallback {
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RelayAnswer {
  readonly status: number;
  readonly content_type?: string;
  readonly body: string;
}

/** A developer's machine that listens through the relay. */
export interface RelayListener {
  readonly listenId: string;
  readonly callbackUrl: string;
  readonly previousUrl: string;
  readonly callbacks: readonly RelayedCallback[];
  /** Empty lines so far: the stream is open. */
  beats(): number;
  /** HTTP status and error code of each answer that was handed in; 200 is "taken". */
  readonly handedIn: readonly (readonly [status: number, code: string])[];
  /** Resolves when the platform has ended the stream. */
  readonly streamEnded: Promise<void>;
  /** Another stream for the same listener, after the one before has gone. */
  connect(): Promise<void>;
  end(): Promise<RelayReply>;
  /** As if the machine had lost its power: the connection is cut and nothing is said. */
  die(): Promise<void>;
}

export interface RelayReply {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

interface Place {
  readonly api: string;
  readonly apiKey: string;
}

export async function callSandbox(place: Place, path: string, body?: unknown): Promise<RelayReply> {
  const answer = await request(`${place.api}/sandbox/v1${path}`, {
    method: "POST",
    headers: { "api-key": place.apiKey, ...(body !== undefined && { "content-type": "application/json" }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const json: unknown = await answer.body.json();
  return { status: answer.statusCode, json: Object.fromEntries(Object.entries(Object(json))) };
}

/** Begins to listen and answers each callback with what `answer` says; null: never. */
export async function listenThroughRelay(
  place: Place,
  answer: (callback: RelayedCallback) => RelayAnswer | null = () => ({ status: 200, body: '{"code":0,"message":""}' }),
): Promise<RelayListener> {
  const begun = await callSandbox(place, "/listen");
  if (begun.status !== 201) throw new Error(`nobody may listen: ${JSON.stringify(begun.json)}`);
  const listenId = String(begun.json["listen_id"]);
  const callbacks: RelayedCallback[] = [];
  const handedIn: (readonly [number, string])[] = [];
  const ended = Promise.withResolvers<void>();
  let beats = 0;
  let agent = new Agent();

  const take = async (line: string): Promise<void> => {
    if (line === "") {
      beats += 1;
      return;
    }
    const { request_id: requestId, headers, body } = JSON.parse(line);
    const callback: RelayedCallback = { requestId, headers, body };
    callbacks.push(callback);
    const said = answer(callback);
    if (said === null) return;
    const taken = await callSandbox(place, `/listen/${listenId}/answers/${requestId}`, said);
    const error: unknown = taken.json["error"];
    handedIn.push([taken.status, String(Reflect.get(Object(error), "code") ?? "")]);
  };
  const connect = async (): Promise<void> => {
    const stream = await request(`${place.api}/sandbox/v1/listen/${listenId}/requests`, {
      dispatcher: agent,
      headers: { "api-key": place.apiKey },
    });
    if (stream.statusCode !== 200) throw new Error(`no stream: ${await stream.body.text()}`);
    void readLines(stream.body, take).then(ended.resolve, () => undefined);
  };
  await connect();
  return {
    listenId,
    callbackUrl: String(begun.json["callback_url"]),
    previousUrl: String(begun.json["previous_callback_url"]),
    callbacks,
    handedIn,
    beats: () => beats,
    streamEnded: ended.promise,
    connect: async () => {
      agent = new Agent();
      await connect();
    },
    end: () => callSandbox(place, `/listen/${listenId}/end`),
    die: () => agent.destroy(),
  };
}

async function readLines(stream: AsyncIterable<Buffer>, take: (line: string) => Promise<void>): Promise<void> {
  let text = "";
  for await (const piece of stream) {
    const lines = (text + piece.toString("utf8")).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) void take(line);
  }
}
