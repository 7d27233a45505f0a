/** What can be done to one of many incidents: moved, given to somebody, merged into another. */
import type { QueryClient } from '@tanstack/react-query';
import { actions, type IncidentChange } from '../../api/actions';
import { q } from '../../api/endpoints';
import { ApiError } from '../../api/errors';
import type { State } from '../../api/types';
import { stateWord } from '../../components/State';

/** It needed no doing: what the incident is by now, and who made it so. */
export type Already = { already: string; by: string | null };

export type Deed = {
  /** What those are called to which it was done, as in “12 acknowledged”. */
  word: string;
  atOnce: number;
  /** Does it to one; what it throws has failed. */
  one: (id: string, signal: AbortSignal) => Promise<Already | null>;
  /** How it is taken back from those to which it was done, and what that means where it does not go without saying. */
  undo?: { note?: string; deed: Deed };
  /** Where its outcome is to be seen. */
  next?: { label: string; run: () => void };
};

/** What is written into an incident before it is moved. */
export type ChangeOf = (id: string) => IncidentChange;

/** Whoever an incident is given to; null is nobody. */
export type Person = { id: string; name: string } | null;

const AT_ONCE = 4;
const NO_CHANGE: ChangeOf = () => ({});

/** A refusal because of the state is no failure: what the state is by now says why. */
export function moving(client: QueryClient, state: State, changeOf: ChangeOf = NO_CHANGE): Deed {
  return {
    word: stateWord(state).toLowerCase(),
    atOnce: AT_ONCE,
    one: async (id, signal) => {
      try {
        const change = changeOf(id);
        if (Object.keys(change).length > 0) await actions.changeIncident({ id, change, signal });
        await actions.moveIncident({ id, state, signal });
        return null;
      } catch (error) {
        if (signal.aborted || !(error instanceof ApiError && error.status === 409)) throw error;
      }
      const now = await client.fetchQuery({ ...q.incident(id), staleTime: 0 });
      const by = now.state === 'acknowledged' ? now.acknowledged_by : null;
      return { already: stateWord(now.state).toLowerCase(), by };
    },
    ...(state === 'resolved' && {
      undo: {
        note: 'Undo opens them again as investigating.',
        deed: { ...moving(client, 'investigating'), word: 'reopened' },
      },
    }),
  };
}

/** `before` is who has each now, to whom it goes back. */
export function giving(person: Person, before: ReadonlyMap<string, string | null>, me: string): Deed {
  const give = (owner: (id: string) => string | null, word: string): Deed => ({
    word,
    atOnce: AT_ONCE,
    one: async (id, signal) => {
      await actions.changeIncident({ id, change: { assigned_to: owner(id) }, signal });
      return null;
    },
  });
  const name = person?.id === me ? 'you' : person?.name;
  return {
    ...give(() => person?.id ?? null, name ? `assigned to ${name}` : 'given back'),
    undo: { deed: give((id) => before.get(id) ?? null, 'assigned as before') },
  };
}

/** One after the other: each changes the same incident. There is no way back. */
export function merging(into: { id: string; number: number }, open: () => void): Deed {
  return {
    word: `merged into INC-${into.number}`,
    atOnce: 1,
    one: async (id, signal) => {
      await actions.merge({ id, into: into.id, signal });
      return null;
    },
    next: { label: 'Open', run: open },
  };
}
