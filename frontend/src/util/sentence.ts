/** Words of the server made fit for a page. */

/** With a capital at its start; the rest stays as it was written. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `invalid-credentials` and `fingerprint_mismatch` as words; text that has spaces already stays as it is. */
export function words(code: string): string {
  return code.includes(' ') ? code : code.replaceAll(/[-_]/g, ' ');
}

/** Without the characters that turn the direction of text, for places where nothing can isolate them. */
export function straight(text: string): string {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}
