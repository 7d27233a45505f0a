/** Words of the server made fit for a page. */

/** With a capital at its start; the rest stays as it was written. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `invalid-credentials` and `fingerprint_mismatch` as words; text that has spaces already stays as it is. */
export function words(code: string): string {
  return code.includes(' ') ? code : code.replaceAll(/[-_]/g, ' ');
}

/** Why a request was refused: the server's code in words, and what the sender was told, as it was told. */
export function refusal(reason: string): { code: string; told: string } {
  const [code = '', ...told] = reason.split(': ');
  return { code: words(code), told: told.join(': ') };
}
