/** Does something as soon as it is asked for, and less and less often while it is asked for again and again. */

const FIRST_GAP_MS = 1000;
/** In a storm it is done so often. */
export const LONGEST_GAP_MS = 5000;

/** What a band needs from outside. */
export type BandWorld = {
  run: () => void;
  /** Not before this instant, in milliseconds since the epoch; never, until woken, is `Infinity`. */
  notBefore: () => number;
};

export class Band {
  private readonly world: BandWorld;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = false;
  private ranAt = Number.NEGATIVE_INFINITY;
  private gap_ms = 0;

  constructor(world: BandWorld) {
    this.world = world;
  }

  ask(): void {
    this.asked = true;
    this.wake();
  }

  /** Looks again whether it may run, for when `notBefore` has become earlier. */
  wake(): void {
    if (!this.asked) return;
    clearTimeout(this.timer);
    const now = Date.now();
    const at = Math.max(this.ranAt + this.gap_ms, this.world.notBefore());
    if (at <= now) this.run(now);
    else if (Number.isFinite(at)) this.timer = setTimeout(() => this.wake(), at - now);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.asked = false;
  }

  private run(now: number): void {
    const calm = now - this.ranAt > 2 * LONGEST_GAP_MS;
    this.gap_ms = calm ? FIRST_GAP_MS : Math.min(LONGEST_GAP_MS, 2 * this.gap_ms);
    this.ranAt = now;
    this.asked = false;
    this.world.run();
  }
}
