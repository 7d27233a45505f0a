/** Every page of the mock worth a look, in these sizes and themes. */

export const PAGES = {
  login: '/login?mock=shop&out&still',
  register: '/login?mock=first&still',
  incidents: '/incidents?mock=shop&still',
  quiet: '/incidents?mock=quiet&still',
  empty: '/incidents?mock=empty&still',
  incident: '/incidents/INC-142?mock=shop&still',
  alerts: '/incidents/INC-142?tab=alerts&mock=shop&still',
  inconclusive: '/incidents/INC-140?mock=shop&still',
  failed: '/incidents/INC-138?mock=shop&still',
  odd: '/incidents/INC-202?mock=odd&still',
  oddAlerts: '/incidents/INC-202?tab=alerts&mock=odd&still',
  stillFiring: '/incidents/INC-201?mock=odd&still',
  missing: '/incidents/INC-99999?mock=shop&still',
  nowhere: '/nowhere?mock=shop&still',
  integrations: '/integrations?mock=shop&still',
  notifications: '/notifications?mock=shop&still',
  channel: '/notifications/019ac000-0000-7000-8000-0000000c0002?mock=shop&still',
  noChannels: '/notifications?mock=quiet&still',
  analytics: '/analytics?mock=shop&still',
  changes: '/changes?mock=shop&still',
  members: '/settings/members?mock=shop&still',
  keys: '/settings/keys?mock=shop&still',
  projects: '/settings/projects?mock=shop&still',
  model: '/settings/model?mock=shop&still',
  account: '/settings/account?mock=shop&still',
  preferences: '/settings/preferences?mock=shop&still',
  audit: '/settings/audit?mock=shop&still',
};

/** The page that asks for what is not there, which the browser itself reports. */
export const ASKS_IN_VAIN = 'missing';

export const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
export const THEMES = ['light', 'dark'];
