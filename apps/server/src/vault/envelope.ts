import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/**
 * How a record lies in the database: version (1 byte), key generation (4 bytes, big endian), IV (12), tag (16), cipher
 * text. AES-256-GCM with a random 96-bit IV; header, family and record id are authenticated, so an envelope that was moved
 * to another row, or whose header was changed, does not open.
 */
const version = 1;
const headerBytes = 5;
const ivBytes = 12;
const tagBytes = 16;
const overheadBytes = headerBytes + ivBytes + tagBytes;
/** The largest record is the private key of a client certificate, 3.3 KB; the others are below 100 bytes. */
const plainBytesMax = 4096;

export interface EnvelopeKey {
  readonly generation: number;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

/** What an envelope belongs to; both go into the authentication. */
export interface EnvelopeOwner {
  readonly family: string;
  readonly recordId: string;
}

export function sealEnvelope(key: EnvelopeKey, owner: EnvelopeOwner, plain: Buffer): Buffer {
  if (plain.length > plainBytesMax) throw new RangeError("a vault record is longer than 4 KiB");
  const header = envelopeHeader(key.generation);
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, iv, { authTagLength: tagBytes });
  cipher.setAAD(authenticated(header, owner));
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([header, iv, cipher.getAuthTag(), encrypted]);
}

/** The generation of the data key an envelope was sealed with. Throws when the bytes are no envelope. */
export function envelopeGeneration(envelope: Buffer): number {
  const isEnvelope = envelope.length >= overheadBytes && envelope.length <= overheadBytes + plainBytesMax;
  if (!isEnvelope || envelope.readUInt8(0) !== version) throw new Error("a vault record has an unknown form");
  return envelope.readUInt32BE(1);
}

/** The plain bytes. Throws when anything was changed since sealing, or key or owner are not those it was sealed with. */
export function openEnvelope(key: EnvelopeKey, owner: EnvelopeOwner, envelope: Buffer): Buffer {
  if (envelopeGeneration(envelope) !== key.generation) throw new Error("a vault record names another key");
  const iv = envelope.subarray(headerBytes, headerBytes + ivBytes);
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, iv, { authTagLength: tagBytes });
  decipher.setAAD(authenticated(envelope.subarray(0, headerBytes), owner));
  decipher.setAuthTag(envelope.subarray(headerBytes + ivBytes, overheadBytes));
  try {
    return Buffer.concat([decipher.update(envelope.subarray(overheadBytes)), decipher.final()]);
  } catch (cause) {
    throw new Error(`a vault record of family ${owner.family} was changed or does not belong here`, { cause });
  }
}

function envelopeHeader(generation: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(version, 0);
  header.writeUInt32BE(generation, 1);
  return header;
}

/** A family has no line break in it, so two owners never give the same bytes. */
function authenticated(header: Buffer, owner: EnvelopeOwner): Buffer {
  return Buffer.concat([header, Buffer.from(`${owner.family}\n${owner.recordId}`, "utf8")]);
}
