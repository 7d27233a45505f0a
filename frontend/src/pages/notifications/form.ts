/** The form of a channel: what it holds, what is wrong with it, and what the server is sent. */
import type { Channel, ChannelChange, ChannelKind, NewChannel, Severity, Tell } from '../../api/types';
import { TELLS } from '../../api/types';
import { KIND_NAMES } from './kinds';

export type ChannelForm = {
  kind: ChannelKind;
  name: string;
  url: string;
  routing_key: string;
  min_severity: Severity;
  /** With commas between them. */
  services: string;
  tells: Tell[];
  critical_faults: boolean;
};

/** What a new channel is told, unless its reader chooses otherwise. */
export const NEW_FORM: ChannelForm = {
  kind: 'slack',
  name: '',
  url: '',
  routing_key: '',
  min_severity: 'medium',
  services: '',
  tells: TELLS.filter((one) => one !== 'acknowledged'),
  critical_faults: true,
};

/** The fields at which the server may find something wrong. */
export const FIELDS = ['name', 'url', 'routing_key', 'services', 'tells'] as const;

/** A channel as it stands; its secret is not told, so those fields are empty. */
export function formOf(channel: Channel): ChannelForm {
  const { kind, name, min_severity, services, tells, critical_faults } = channel;
  return {
    kind,
    name,
    url: '',
    routing_key: '',
    min_severity,
    services: services.join(', '),
    tells: TELLS.filter((one) => tells.includes(one)),
    critical_faults,
  };
}

/** The body that makes a channel. */
export function newChannel(form: ChannelForm): NewChannel {
  const { kind, min_severity, critical_faults } = form;
  return {
    kind,
    name: form.name.trim() || KIND_NAMES[kind],
    ...secrets(form),
    min_severity,
    services: servicesIn(form.services),
    tells: inOrder(form.tells),
    critical_faults,
  };
}

/** What differs from the channel as it stands, and nothing else. */
export function changeOf(form: ChannelForm, channel: Channel): ChannelChange {
  const before = formOf(channel);
  const name = form.name.trim();
  const services = servicesIn(form.services);
  const tells = inOrder(form.tells);
  return {
    ...(name && name !== before.name && { name }),
    ...secrets(form),
    ...(form.min_severity !== before.min_severity && { min_severity: form.min_severity }),
    ...(services.join() !== channel.services.join() && { services }),
    ...(tells.join() !== before.tells.join() && { tells }),
    ...(form.critical_faults !== before.critical_faults && { critical_faults: form.critical_faults }),
  };
}

/** What is wrong with an address; without one there is nothing wrong where it is not `needed`. */
export function urlProblem(url: string, needed: boolean): string | undefined {
  if (url.trim() === '') return needed ? 'An address is needed.' : undefined;
  return /^https?:\/\/\S+$/.test(url.trim()) ? undefined : 'Use an http or https address.';
}

/** What is wrong with a PagerDuty key. */
export function keyProblem(key: string, needed: boolean): string | undefined {
  if (key.trim() === '') return needed ? 'The key is needed.' : undefined;
  return /^[0-9a-z]{32}$/i.test(key.trim()) ? undefined : 'The key has 32 letters and digits.';
}

/** A channel that is told nothing at all is a mistake: it can be turned off instead. */
export function tellsProblem(tells: readonly Tell[], faults: boolean): string | undefined {
  return tells.length > 0 || faults ? undefined : 'Choose at least one, or turn the channel off.';
}

/** The services that a text names, each once. */
export function servicesIn(text: string): string[] {
  const names = text.split(/[,\n]/).map((one) => one.trim());
  return [...new Set(names.filter(Boolean))];
}

function secrets({ kind, url, routing_key }: ChannelForm): { url?: string; routing_key?: string } {
  return {
    ...(url.trim() && { url: url.trim() }),
    ...(kind === 'pagerduty' && routing_key.trim() && { routing_key: routing_key.trim() }),
  };
}

function inOrder(tells: readonly Tell[]): Tell[] {
  return TELLS.filter((one) => tells.includes(one));
}
