/** Bounds of the relay, each with its unit in the name and its reason. */
export const relayLimits = {
  /** Streams of one process: each holds a socket and touches its row every 5 s. */
  listenersMax: 200,
  /** Callbacks of one merchant that wait for their listener's answer: some 20 KB each. */
  waitingOfListenerMax: 256,
  /** A callback has a few KB; the merchants' API takes no more than this either. */
  requestBytesMax: 65_536,
  /** JSON writes a quote as two characters, and the body is mostly JSON: twice its size, and the headers. */
  lineCharactersMax: 160_000,
  /** What a listener that reads too slowly may leave unread; then its stream ends. */
  unreadCharactersMax: 4_000_000,
  /** The platform itself takes 16 KiB of an answer: with twice that a developer can see what becomes of a longer one. */
  answerCharactersMax: 32_768,
  /** As JSON, where a character can take six. */
  answerBytesMax: 262_144,
  contentTypeCharactersMax: 256,
  /** As long as a try of a push may take (contract section 6). */
  answerMsMax: 5_000,
  /** An empty line in between keeps proxies from ending a silent stream, usually after 60 s, and shows both sides that the other lives. */
  beatMs: 5_000,
  /** Long enough to start the listener again, short enough that nobody wonders where the callbacks stay. */
  silentMsMax: 30_000,
  /** How often rows are looked for that nobody streams any more, and how many are ended in one look. */
  lookMs: 2_000,
  endedAtOnceMax: 100,
} as const;
