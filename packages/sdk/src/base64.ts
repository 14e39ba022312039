/** Base64 with what every runtime has. `Uint8Array.fromBase64` would be it, and Node 20 to 24 do not have it. */

const standardForm = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;

/** The bytes of a text in standard Base64 with its padding, or null. A text that stands for the same bytes in another form is refused. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!standardForm.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return textOfBase64(bytes) === text ? bytes : null;
}

export function textOfBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
