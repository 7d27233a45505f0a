/**
 * The only WebSocket. It never carries data to the screen: an event says which reads to look at again.
 *
 * Resumes after the last event it saw, so nothing is missed across a reconnect; when the server can no longer
 * replay from there it says `resync` and everything is read again.
 */
import type { LiveEvent } from './types';

/** What the reader is told about the connection. Instants are milliseconds since the epoch. */
export type LiveStatus =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'reconnecting'; retryAt: number; lostAt: number }
  | { kind: 'off' };

/** The last event seen, and of which numbering. */
export type Position = { epoch: string; seq: number };

/** What live updates need from the outside, so that tests can stand in for it. */
export type LiveWorld = {
  open: (url: string) => WebSocket;
  url: (resume: Position | null) => string;
  now: () => number;
  random: () => number;
  onEvents: (events: LiveEvent[]) => void;
  onResync: () => void;
  /** The server refused the session (4401, 4403). */
  onRefused: () => void;
};

type Message =
  | { type: 'hello'; epoch: string; seq: number }
  | { type: 'resync'; epoch?: string; seq?: number }
  | { type: 'pong' | 'error' | 'subscribed'; seq?: undefined }
  | LiveEvent;

export const GATHER_MS = 250;
/** How often the server is asked whether it is there. */
export const PING_MS = 8000;
/** No answer to that for so long is a lost connection. */
export const PONG_MS = 5000;
export const FIRST_RETRY_MS = 500;
export const LONGEST_RETRY_MS = 30_000;
/** A connection that is not greeted for so long is given up. */
export const SILENCE_MS = 10_000;
/** After this long without a connection the screen is called stale. */
export const STALE_MS = 10_000;

export class Live {
  private readonly world: LiveWorld;
  private socket: WebSocket | null = null;
  private position: Position | null = null;
  /** Where the server stood when it last greeted us. */
  private greeting: Position | null = null;
  private gathered: LiveEvent[] = [];
  private attempts = 0;
  private lostAt = 0;
  /** When the server last said anything. */
  private heardAt = 0;
  private status: LiveStatus = { kind: 'off' };
  private readonly watchers = new Set<() => void>();
  private timers: Partial<Record<'gather' | 'retry' | 'ping' | 'silence', ReturnType<typeof setTimeout>>> =
    {};

  constructor(world: LiveWorld) {
    this.world = world;
  }

  /** Connects, and stays connected until `stop`. */
  start(): void {
    if (this.status.kind !== 'off') return;
    this.lostAt = this.world.now();
    this.set({ kind: 'connecting' });
    this.connect();
  }

  /** Closes the socket and forgets the position; the next `start` begins anew. */
  stop(): void {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.timers = {};
    this.position = null;
    this.gathered = [];
    this.attempts = 0;
    this.drop();
    this.set({ kind: 'off' });
  }

  /** Tries again now, for when the browser says the network is back. */
  retryNow(): void {
    if (this.status.kind !== 'reconnecting') return;
    clearTimeout(this.timers.retry);
    this.attempts = 0;
    this.connect();
  }

  /** For when the browser says that the network is gone, which the socket would notice only much later. */
  networkGone(): void {
    if (this.status.kind === 'live' || this.status.kind === 'connecting') this.lost(1006);
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  snapshot = (): LiveStatus => this.status;

  private connect(): void {
    this.drop();
    const socket = this.world.open(this.world.url(this.position));
    this.socket = socket;
    const mine = (action: () => void) => () => {
      if (this.socket === socket) action();
    };
    socket.onmessage = (message) => {
      if (this.socket === socket) this.receive(message.data);
    };
    socket.onopen = mine(() => this.keepAlive());
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.code);
    };
    socket.onerror = null;
    clearTimeout(this.timers.silence);
    this.timers.silence = setTimeout(() => this.lost(1006), SILENCE_MS);
  }

  private receive(raw: unknown): void {
    clearTimeout(this.timers.silence);
    this.heardAt = this.world.now();
    const message = parse(raw);
    if (!message || message.type === 'pong') return;
    if (message.type === 'hello') this.greeted(message);
    else if (message.type === 'resync') this.resync(message);
    else if (typeof message.seq === 'number') this.take(message);
  }

  private greeted(hello: Position): void {
    this.greeting = { epoch: hello.epoch, seq: hello.seq };
    if (this.position?.epoch !== hello.epoch) {
      const first = this.position === null;
      this.position = this.greeting;
      if (!first) this.world.onResync();
    }
    this.attempts = 0;
    this.set({ kind: 'live' });
  }

  private resync(message: { epoch?: string; seq?: number }): void {
    const { epoch, seq } = message;
    this.position = epoch !== undefined && seq !== undefined ? { epoch, seq } : this.greeting;
    this.gathered = [];
    this.world.onResync();
  }

  private take(event: LiveEvent): void {
    if (this.position) {
      if (event.seq <= this.position.seq) return;
      this.position = { ...this.position, seq: event.seq };
    }
    this.gathered.push(event);
    this.timers.gather ??= setTimeout(() => {
      delete this.timers.gather;
      const events = this.gathered;
      this.gathered = [];
      if (events.length > 0) this.world.onEvents(events);
    }, GATHER_MS);
  }

  private keepAlive(): void {
    clearTimeout(this.timers.ping);
    this.timers.ping = setTimeout(() => {
      this.socket?.send('{"type":"ping"}');
      // What is on the screen has been true until the last word, not until its absence was noticed.
      this.timers.silence = setTimeout(() => this.lost(1006, this.heardAt), PONG_MS);
      this.keepAlive();
    }, PING_MS);
  }

  private lost(code: number, at = this.world.now()): void {
    clearTimeout(this.timers.ping);
    clearTimeout(this.timers.silence);
    this.drop();
    if (code === 4401 || code === 4403) this.world.onRefused();
    if (this.status.kind === 'live') this.lostAt = at;
    const wait = retryDelay(this.attempts, this.world.random());
    this.attempts += 1;
    this.set({ kind: 'reconnecting', retryAt: this.world.now() + wait, lostAt: this.lostAt });
    this.timers.retry = setTimeout(() => this.connect(), wait);
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    if (!old) return;
    old.onmessage = old.onopen = old.onclose = null;
    old.close();
  }

  private set(status: LiveStatus): void {
    this.status = status;
    for (const watcher of this.watchers) watcher();
  }
}

/** Half a second, doubling to thirty, each time between half and all of it so that clients spread out. */
export function retryDelay(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
  return whole / 2 + (whole / 2) * random;
}

function parse(raw: unknown): Message | null {
  if (typeof raw !== 'string') return null;
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as Message) : null;
  } catch {
    return null;
  }
}
