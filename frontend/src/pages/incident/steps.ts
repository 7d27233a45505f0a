/** The steps of an incident in words. */
import { SEVERITIES, STATES, type Step } from '../../api/types';
import { severityWord } from '../../components/Severity';
import { stateWord } from '../../components/State';
import { counted } from '../../util/numbers';

/** `last` is when the last of a folded run began, `until` when what the title says ends; RFC 3339. */
export type StepText = { title: string; note?: string; last?: string; until?: string };

/** Steps that a source or the product takes, whoever is named as their actor. */
const BY_MACHINES: ReadonlySet<string> = new Set([
  'alert_received',
  'alert_resolved',
  'evidence_collected',
  'hypotheses_generated',
]);

/** Whether a person, and not the machine, took the step. */
export function isByPerson(step: Step): boolean {
  return step.actor !== null && !BY_MACHINES.has(step.step_type);
}

/** One line of the timeline: a step, or several of a kind that came one after another. */
export type Line = { step: Step; text: StepText };

/** Steps with their texts; runs of alerts, and of analyses, become one line each. */
export function folded(steps: readonly Step[]): Line[] {
  const runs: Step[][] = [];
  for (const step of steps) {
    const run = runs.at(-1);
    const kind = foldedAs(step);
    if (run?.[0] && kind && foldedAs(run[0]) === kind) run.push(step);
    else runs.push([step]);
  }
  return runs.flatMap(linesOf);
}

/** What a step is folded with: others of this name. What failed or is under way stands alone. */
function foldedAs({ step_type, status }: Step): 'alerts' | 'analyses' | null {
  if (step_type === 'alert_received') return 'alerts';
  if (status !== 'completed') return null;
  return step_type === 'evidence_collected' || step_type === 'hypotheses_generated' ? 'analyses' : null;
}

function linesOf(run: Step[]): Line[] {
  const [first] = run;
  const last = run.at(-1);
  if (!first || !last) return [];
  if (foldedAs(first) === 'alerts' && run.length > 1) {
    const many = run.reduce((sum, step) => sum + alertsIn(step), 0);
    return [{ step: first, text: { title: `${counted(many, 'alert')} received` } }];
  }
  const analyses = run.filter((step) => step.step_type === 'hypotheses_generated').length;
  if (analyses > 1)
    return [
      { step: first, text: { title: counted(analyses, 'analysis', 'analyses'), last: last.started_at } },
    ];
  return run.map((step) => ({ step, text: stepText(step) }));
}

/** How many alerts a step tells of: a burst's first have a step each, and all the rest one together. */
function alertsIn({ detail }: Step): number {
  return typeof detail.count === 'number' ? detail.count : 1;
}

/** What one step says; an unknown kind is named rather than hidden. */
export function stepText(step: Step): StepText {
  const { detail } = step;
  const text = (name: string) => words(detail[name]);
  switch (step.step_type) {
    case 'alert_received':
      if (alertsIn(step) > 1) return { title: `${counted(alertsIn(step), 'alert')} received` };
      return { title: text('name') ? `Alert received: ${text('name')}` : 'Alert received' };
    case 'alert_resolved':
      return { title: text('name') ? `Alert resolved: ${text('name')}` : 'Alert resolved' };
    case 'incident_created':
      return { title: step.actor ? 'opened the incident' : 'Incident opened' };
    case 'evidence_collected':
      return {
        title: amount(detail.evidence, 'Evidence collected', 'piece of evidence', 'pieces of evidence'),
      };
    case 'hypotheses_generated':
      return { title: amount(detail.count, 'Causes looked for', 'theory', 'theories') };
    case 'state_changed':
      return note(`${text('from') ? `${state(text('from'))} → ` : ''}${state(text('to'))}`, text('comment'));
    case 'comment_added':
      return note('wrote', text('body'));
    case 'severity_changed':
      return { title: `${step.actor ? 'set severity to' : 'Severity now'} ${severity(text('to'))}` };
    case 'assigned':
      return { title: assigned(text('name'), step.actor) };
    case 'reopened':
      return note(step.actor ? 'reopened it' : 'Reopened', text('comment'));
    case 'merged':
      return {
        title: detail.into ? `merged it into INC-${text('number')}` : `merged INC-${text('number')} into it`,
      };
    case 'snoozed':
      return { ...note(step.actor ? 'snoozed it' : 'Snoozed', text('comment')), until: text('until') };
    case 'snooze_ended':
      return { title: woken(text('why'), step.actor) };
    case 'feedback_given':
      return note(`called a theory ${verdict(text('verdict'))}`, text('comment'));
    case 'field_changed':
      return note(`changed ${text('field').replaceAll('_', ' ') || 'a field'}`, text('to'));
    default: {
      const plain = step.step_type.replaceAll('_', ' ');
      return { title: plain.charAt(0).toUpperCase() + plain.slice(1) };
    }
  }
}

function assigned(name: string, actor: string | null): string {
  if (!name) return actor ? 'took the owner away' : 'Nobody owns it now';
  if (name === actor) return 'took it';
  return `${actor ? 'gave it to' : 'Given to'} ${name}`;
}

function woken(why: string, actor: string | null): string {
  if (actor) return 'woke it';
  if (why === 'severity') return 'Snooze ended: the severity rose';
  if (why === 'closed') return 'Snooze ended: it was closed';
  if (why === 'merged') return 'Snooze ended: it was merged';
  return 'Snooze ended';
}

function note(title: string, body: string): StepText {
  return body ? { title, note: body } : { title };
}

function words(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function amount(count: unknown, plain: string, one: string, many: string): string {
  if (typeof count !== 'number') return plain;
  return count === 0 ? `${plain}: none found` : `${plain}: ${counted(count, one, many)}`;
}

function state(name: string): string {
  const known = STATES.find((one) => one === name);
  return known ? stateWord(known) : name;
}

function severity(name: string): string {
  const known = SEVERITIES.find((one) => one === name);
  return known ? severityWord(known).toLowerCase() : name;
}

function verdict(name: string): string {
  if (name === 'accepted') return 'right';
  return name === 'rejected' ? 'wrong' : 'uncertain';
}
