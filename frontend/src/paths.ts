/** Every address of the dashboard as a function. */

export const paths = {
  /** With a project, it leads whoever opens it to that one. */
  incidents: (filter?: string, project?: string) => `/incidents${query({ q: filter, project })}`,
  incident: (number: number) => `/incidents/INC-${number}`,
  incidentById: (id: string) => `/incidents/${id}`,
  analytics: () => '/analytics',
  integrations: () => '/integrations',
  integration: (id: string) => `/integrations/${id}`,
  delivery: (id: string) => `/deliveries/${id}`,
  notifications: () => '/notifications',
  channel: (id: string) => `/notifications/${id}`,
  changes: () => '/changes',
  settings: (section: SettingsSection = 'members') => `/settings/${section}`,
  login: (next?: string) => `/login${query({ next })}`,
  apiDocs: () => '/docs',
};

/** The pages under Settings, in their order. */
export const SETTINGS_SECTIONS = [
  'members',
  'keys',
  'projects',
  'model',
  'account',
  'preferences',
  'audit',
] as const;

export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

/** A path inside this dashboard to return to after signing in; anything else becomes the start page. */
export function safeNext(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : paths.incidents();
}

function query(values: Record<string, string | undefined>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) params.set(name, value);
  const text = params.toString();
  return text ? `?${text}` : '';
}
