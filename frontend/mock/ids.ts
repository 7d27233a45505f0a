/** Ids of the right form, the same on every run. */

let next = 1;

export function uuid(): string {
  const tail = (next++).toString(16).padStart(12, '0');
  return `019ac000-0000-7000-8000-${tail}`;
}

/** A small random generator with a seed, so that the mock looks the same every time. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
