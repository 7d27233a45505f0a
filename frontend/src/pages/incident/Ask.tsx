/** Questions about the incident: asked here, answered from its evidence while one looks on. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { LoaderCircle } from 'lucide-react';
import type { FormEvent } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Incident, Question, Questions } from '../../api/types';
import { useDraft } from '../../components/drafts';
import { useBlocked } from '../../components/me';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { TextField } from '../../ui/Field';
import { count, money } from '../../util/numbers';
import { sentence } from '../../util/sentence';
import { EvidenceRow } from './EvidenceRow';

export function AskCard({ incident }: { incident: Incident }) {
  const { data } = useQuery(q.questions(incident.id));
  if (!data) return null;
  return (
    <Card title="Ask about this incident">
      {data.off ? <p className="text-muted text-sm">{data.off}</p> : <AskForm incident={incident} />}
      <ul className="mt-1 divide-y divide-hairline">
        {data.items.map((one) => (
          <QuestionRow key={one.id} question={one} incident={incident} />
        ))}
      </ul>
    </Card>
  );
}

function AskForm({ incident }: { incident: Incident }) {
  const [text, setText] = useDraft(`question.${incident.id}`);
  const client = useQueryClient();
  const ask = useAction(actions.ask, ['questions', 'aiAnalytics']);
  const blocked = useBlocked('engineer');
  const show = (question: Question) => {
    setText('');
    client.setQueryData<Questions>(q.questions(incident.id).queryKey, (old) => ({
      off: old?.off ?? null,
      items: [question, ...(old?.items ?? []).filter((one) => one.id !== question.id)],
    }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) ask.mutate({ id: incident.id, question: text.trim(), on: show });
  };
  return (
    <form onSubmit={submit} className="flex flex-wrap items-end gap-2 pb-2">
      <div className="min-w-0 flex-1 basis-60">
        <TextField
          label="Your question"
          hideLabel
          placeholder="What changed before the errors began?"
          maxLength={1000}
          value={text}
          onChange={(event) => setText(event.target.value)}
          error={ask.isError ? sentenceOf(ask.error) : undefined}
        />
      </div>
      <Button type="submit" pending={ask.isPending} blocked={blocked}>
        Ask
      </Button>
    </form>
  );
}

function QuestionRow({ question, incident }: { question: Question; incident: Incident }) {
  const working = question.status === 'queued' || question.status === 'running';
  return (
    <li className="space-y-1.5 py-3 text-sm">
      <p className="font-medium [overflow-wrap:anywhere]">{question.question}</p>
      {working && (
        <p role="status" className="flex items-center gap-2 text-muted">
          <LoaderCircle className="size-4 shrink-0 animate-spin text-link" aria-hidden="true" />
          <span className="min-w-0 [overflow-wrap:anywhere]">
            {question.progress.at(-1) ?? 'Waiting to start'}
          </span>
        </p>
      )}
      {question.answer && <p className="whitespace-pre-line [overflow-wrap:anywhere]">{question.answer}</p>}
      {question.status === 'unanswered' && <Ending head="Not answered" reason={question.reason} />}
      {question.status === 'failed' && <Ending head="The question failed" reason={question.reason} />}
      {question.evidence.length > 0 && (
        <ul className="border-hairline border-t">
          {question.evidence.map((one) => (
            <EvidenceRow key={one.id} evidence={one} side={null} incident={incident} />
          ))}
        </ul>
      )}
      <p className="text-muted text-xs tabular-nums">{footOf(question).join(' · ')}</p>
    </li>
  );
}

function Ending({ head, reason }: { head: string; reason: string | null }) {
  return (
    <p role="status">
      {head}. {reason && <span className="text-muted">{sentence(reason)}</span>}
    </p>
  );
}

function footOf({ asked_by, model, tokens, cost_usd }: Question): string[] {
  const parts = [asked_by, model];
  if (tokens.prompt !== null && tokens.completion !== null)
    parts.push(`${count(tokens.prompt)} tokens in, ${count(tokens.completion)} out`);
  if (cost_usd !== null) parts.push(money(cost_usd));
  return parts;
}
