/** The steps of an incident in words. */
import { SEVERITIES, STATES, type Step } from '../../api/types';
import { severityWord } from '../../components/Severity';
import { stateWord } from '../../components/State';
import { counted } from '../../util/numbers';

export type StepText = { title: string; note?: string };

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

/** Steps with their texts; alerts that came one after another become one line. */
export function folded(steps: readonly Step[]): { step: Step; text: StepText }[] {
  const out: { step: Step; text: StepText; many: number }[] = [];
  for (const step of steps) {
    const last = out.at(-1);
    if (last && step.step_type === 'alert_received' && last.step.step_type === 'alert_received') {
      last.many += 1;
      last.text = { title: `${counted(last.many, 'alert')} received` };
    } else out.push({ step, text: stepText(step), many: 1 });
  }
  return out;
}

/** What one step says; an unknown kind is named rather than hidden. */
export function stepText(step: Step): StepText {
  const { detail } = step;
  const text = (name: string) => words(detail[name]);
  switch (step.step_type) {
    case 'alert_received':
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

function note(title: string, body: string): StepText {
  return body ? { title, note: body } : { title };
}

function words(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function amount(count: unknown, plain: string, one: string, many: string): string {
  return typeof count === 'number' ? `${plain}: ${counted(count, one, many)}` : plain;
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
