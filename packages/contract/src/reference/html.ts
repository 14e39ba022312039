/** HTML that cannot be broken by a text: every value is escaped unless it is HTML already. */
export interface Html {
  readonly markup: string;
}

type Part = Html | string | number | readonly Part[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

function rendered(part: Part): string {
  if (typeof part === "string") return escaped(part);
  if (typeof part === "number") return String(part);
  return "markup" in part ? part.markup : part.map(rendered).join("");
}

/** A tagged template: `html`<p>${text}</p>``. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: strings.map((text, index) => text + rendered(parts[index] ?? "")).join("") };
}

/** A text with `code` in backticks. */
export function prose(text: string): Html {
  return { markup: escaped(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>") };
}

/** A table without ceremony. */
export function table(options: { head: readonly string[]; rows: readonly (readonly Part[])[] }): Html {
  return html`<div class="scroll"><table><thead><tr>${options.head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${options.rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>`;
}

/** A piece of code with its title and a button that copies it. */
export function sample(options: { title: string; code: string }): Html {
  return html`<figure class="sample"><figcaption>${options.title}<button type="button" class="copy">Copy</button></figcaption>
<pre tabindex="0"><code>${options.code}</code></pre></figure>`;
}
