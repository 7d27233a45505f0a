/** What a new password must be like; the server has the last word. */

/** The fewest characters of a password. */
export const SHORTEST_PASSWORD = 15;

/** What a new password may look like. */
export const PASSWORD_HINT = `At least ${SHORTEST_PASSWORD} characters; a sentence is fine.`;

/** The rule of a new password; the server has the last word. */
export const enough = {
  validate: (text: string) =>
    text.length >= SHORTEST_PASSWORD || `Use at least ${SHORTEST_PASSWORD} characters.`,
};
