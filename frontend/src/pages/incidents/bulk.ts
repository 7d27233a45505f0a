/** Doing something to several incidents at once, each answered for on its own. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { ApiError, sentenceOf } from '../../api/errors';
import { toast } from '../../ui/Toast';
import { count, counted } from '../../util/numbers';
import type { Already, Deed } from './deeds';

/** What became of one of them: done, as wanted already, failed, or left alone because someone stopped. */
type Answer = { id: string } & ({ done: true } | Already | { error: unknown } | { left: true });

/** How many are answered for by now. */
export type Progress = { done: number; of: number };

/** What went wrong, and what then; it stays until it is dismissed or something new is begun. */
export type Failure = { title: string; description: string };

type NameOf = (id: string) => string;

/** How many that failed for one reason are named. */
const NAMED = 4;

/** `nameOf` says which one failed; `onDone` is told of those that failed or were left. */
export function useBulk(nameOf: NameOf, onDone: (rest: string[]) => void) {
  const client = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const stopper = useRef<AbortController | null>(null);
  const run = async (ids: readonly string[], deed: Deed): Promise<Answer[]> => {
    stopper.current = new AbortController();
    setFailure(null);
    setProgress({ done: 0, of: ids.length });
    const answers = await doAll(client, ids, deed, stopper.current.signal, setProgress);
    stopper.current = null;
    setProgress(null);
    return answers;
  };
  const act = async (ids: readonly string[], deed: Deed): Promise<void> => {
    if (ids.length === 0 || stopper.current) return;
    const names = new Map(ids.map((id) => [id, nameOf(id)]));
    const answers = await run(ids, deed);
    const done = answers.flatMap((one) => ('done' in one ? [one.id] : []));
    const { undo } = deed;
    const told = report(answers, deed.word, names, 'What failed is selected.');
    if (told.tone) setFailure({ title: told.title, description: told.description });
    toast({
      about: 'bulk',
      ...(undo?.note && done.length > 0 && { description: undo.note }),
      title: told.title,
      ...(told.tone && { tone: told.tone }),
      ...(deed.next && done.length > 0 && { action: deed.next }),
      ...(undo &&
        done.length > 0 && { action: { label: 'Undo', run: () => void takeBack(done, undo.deed, names) } }),
    });
    onDone(restOf(answers));
  };
  /** The selection may be another by now, so it is left alone. */
  const takeBack = async (ids: readonly string[], deed: Deed, names: Names): Promise<void> => {
    if (stopper.current) return;
    const answers = await run(ids, deed);
    const rest = restOf(answers);
    const told = report(answers, deed.word, names);
    if (told.tone) setFailure({ title: told.title, description: told.description });
    toast({
      about: 'bulk',
      title: told.title,
      ...(told.tone && { tone: told.tone }),
      ...(rest.length > 0 && {
        action: { label: 'Try again', run: () => void takeBack(rest, deed, names) },
      }),
    });
  };
  return {
    act: (ids: readonly string[], deed: Deed) => void act(ids, deed),
    progress,
    stop: () => stopper.current?.abort(),
    failure,
    dismiss: () => setFailure(null),
  };
}

/** Some at a time. Too many requests stop them all: each write waits as long as the server says and then goes on. */
async function doAll(
  client: QueryClient,
  ids: readonly string[],
  deed: Deed,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const isInVain = () => signal.aborted || answers.some((one) => 'error' in one && isForAll(one.error));
  while (answers.length < ids.length && !isInVain()) {
    const some = ids.slice(answers.length, answers.length + deed.atOnce);
    answers.push(...(await Promise.all(some.map((id) => doOne(id, deed, signal)))));
    onProgress({ done: answers.length, of: ids.length });
  }
  answers.push(...ids.slice(answers.length).map((id) => ({ id, left: true as const })));
  await Promise.all(
    ['incidents', 'summary'].map((endpoint) => client.invalidateQueries({ queryKey: [endpoint] })),
  );
  return answers;
}

/** Whether what failed one will fail them all: nobody answers, or the role does not allow it. */
function isForAll(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.forbidden);
}

function restOf(answers: readonly Answer[]): string[] {
  return answers.flatMap((one) => ('error' in one || 'left' in one ? [one.id] : []));
}

async function doOne(id: string, deed: Deed, signal: AbortSignal): Promise<Answer> {
  if (signal.aborted) return { id, left: true };
  try {
    return { id, ...((await deed.one(id, signal)) ?? { done: true }) };
  } catch (error) {
    return signal.aborted ? { id, left: true } : { id, error };
  }
}

type Names = ReadonlyMap<string, string>;

/** `12 acknowledged, 2 already resolved`, and which failed and why when something did. */
function report(answers: readonly Answer[], word: string, names: Names, then = '') {
  const [only] = answers;
  if (answers.length === 1 && only && 'already' in only)
    return { title: `Already ${only.already}${only.by ? ` by ${only.by}` : ''}` };
  const failed = answers.flatMap((one) => ('error' in one ? [one] : []));
  const done = answers.filter((one) => 'done' in one).length;
  const left = answers.filter((one) => 'left' in one).length;
  const already = new Map<string, number>();
  for (const one of answers)
    if ('already' in one) already.set(one.already, (already.get(one.already) ?? 0) + 1);
  const parts = [
    ...(done > 0 ? [`${count(done)} ${word}`] : []),
    ...[...already].map(([now, n]) => `${count(n)} already ${now}`),
    ...(failed.length > 0 ? [`${count(failed.length)} failed`] : []),
    ...(left > 0 ? [`stopped before ${counted(left, 'other')}`] : []),
  ];
  const title = parts.join(', ');
  if (failed.length === 0) return { title };
  return { title, description: `${reasons(failed, names)} ${then}`.trim(), tone: 'bad' as const };
}

/** `INC-7, INC-9: Someone else changed this first.` for each reason. */
function reasons(failed: readonly { id: string; error: unknown }[], names: Names): string {
  const byReason = new Map<string, string[]>();
  for (const { id, error } of failed) {
    const reason = sentenceOf(error);
    byReason.set(reason, [...(byReason.get(reason) ?? []), names.get(id) ?? id]);
  }
  return [...byReason]
    .map(([reason, those]) => {
      const more = those.length > NAMED ? ` and ${counted(those.length - NAMED, 'other')}` : '';
      return `${those.slice(0, NAMED).join(', ')}${more}: ${reason}`;
    })
    .join(' ');
}
