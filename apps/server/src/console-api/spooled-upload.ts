import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** A body that is longer than its route allows. */
export class UploadTooLarge extends Error {
  override readonly name = "UploadTooLarge";
}

/**
 * Lets a body come in at the speed of its sender, to a temporary file that nobody else can read, and gives `work` that file as a
 * stream: what the work does with it may take longer than the server lets a request take, and memory is one chunk. The file is gone
 * when the work has ended. Throws `UploadTooLarge` for more than `bytesMax`, and what the connection throws.
 */
export async function withSpooledUpload<Outcome>(
  body: Readable,
  options: { readonly bytesMax: number },
  work: (upload: AsyncIterable<Uint8Array>) => Promise<Outcome>,
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "cardwright-upload-"));
  try {
    const path = join(folder, "body");
    await spool(body, { path, bytesMax: options.bytesMax });
    return await work(createReadStream(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function spool(body: Readable, to: { readonly path: string; readonly bytesMax: number }): Promise<void> {
  const file = await open(to.path, "wx", 0o600);
  try {
    let bytes = 0;
    for await (const chunk of body) {
      const piece: unknown = chunk;
      if (!(piece instanceof Uint8Array)) throw new TypeError("a body comes as bytes");
      bytes += piece.byteLength;
      if (bytes > to.bytesMax) throw new UploadTooLarge("the upload is too large");
      await file.writeFile(piece);
    }
  } finally {
    await file.close();
  }
}
