/** One line without its end; `text` is null for one that is longer than the bound, whose bytes were not kept. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string | null;
}

/**
 * Cuts bytes into lines at LF or CRLF, in whatever pieces they come. A line that is too long is told without its text, so memory
 * is bounded by one chunk and one line. Bytes become Latin-1 characters: what is not ASCII stays what no field allows, and no
 * character can be cut in two. A byte order mark at the very beginning is left out.
 */
export interface LineSplitter {
  push(chunk: Uint8Array): Line[];
  /** The last line, when it has no end. */
  end(): Line[];
}

const byteOrderMark = "\u00ef\u00bb\u00bf";

export function createLineSplitter(options: { readonly lineBytesMax: number }): LineSplitter {
  let number = 0;
  let rest = "";
  let overlong = false;

  const lineOf = (text: string): Line => {
    number += 1;
    const whole = number === 1 && text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
    const content = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
    const isKept = !overlong && content.length <= options.lineBytesMax;
    overlong = false;
    return { number, text: isKept ? content : null };
  };

  return {
    push: (chunk) => {
      const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
      const lines: Line[] = [];
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        lines.push(lineOf(text.slice(start, end)));
        start = end + 1;
      }
      rest = text.slice(start);
      // Room for the mark and the CR, which are not the line's own.
      if (rest.length > options.lineBytesMax + byteOrderMark.length + 1) {
        overlong = true;
        rest = "";
      }
      return lines;
    },
    end: () => (rest === "" && !overlong ? [] : [lineOf(rest)]),
  };
}
