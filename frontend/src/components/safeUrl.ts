/** Addresses that came from outside. */

/** An address that may be followed: http, https, or a page of this dashboard; never a script. */
export function safeUrl(url: string | null | undefined): string | null {
  if (!url) return null;
  if (/^\/(?![/\\])/.test(url)) return url;
  try {
    return /^https?:$/.test(new URL(url).protocol) ? url : null;
  } catch {
    return null;
  }
}
