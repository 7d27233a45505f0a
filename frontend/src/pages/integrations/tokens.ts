/** Tokens are told once; they are kept in memory until the page is left, and nowhere else. */

type Told = { token: string; snippet: string };

const told = new Map<string, Told>();

export function rememberToken(answer: { id: string; token?: string; snippet: string }): void {
  if (answer.token) told.set(answer.id, { token: answer.token, snippet: answer.snippet });
}

/** The token and ready snippet of an integration, if they were told since this page was loaded. */
export function toldToken(id: string): Told | undefined {
  return told.get(id);
}
