/** Everything the mock answers. */
import { socketHandlers } from '../socket';
import { analyticsHandlers } from './analytics';
import { authHandlers } from './auth';
import { incidentPartHandlers } from './incidentParts';
import { incidentHandlers } from './incidents';
import { integrationHandlers } from './integrations';
import { notificationHandlers } from './notifications';
import { projectHandlers } from './projects';

export const handlers = [
  ...authHandlers,
  ...projectHandlers,
  ...integrationHandlers,
  ...notificationHandlers,
  ...incidentHandlers,
  ...incidentPartHandlers,
  ...analyticsHandlers,
  ...socketHandlers,
];
