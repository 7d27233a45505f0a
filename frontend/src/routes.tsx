/** Every route of the dashboard on one page; pages load when they are first opened. */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  type RouterHistory,
  redirect,
} from '@tanstack/react-router';
import { q } from './api/endpoints';
import { ApiError } from './api/errors';
import { lazyPage } from './components/lazyPage';
import { NotFound, PageError, RouteError, RoutePending } from './components/RouteStates';
import { Shell } from './components/Shell';
import { paths, SETTINGS_SECTIONS, safeNext } from './paths';

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search): { next?: string } => optional('next', text(search.next)),
  beforeLoad: async ({ context, search }) => {
    if (context.client.getQueryData(q.me().queryKey)) throw redirect({ href: safeNext(search.next) });
  },
  component: lazyPage(() => import('./pages/login/LoginPage')),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  component: lazyPage(() => import('./pages/login/InvitePage')),
});

const link = createRoute({
  getParentRoute: () => root,
  path: '/link',
  component: lazyPage(() => import('./pages/login/LinkPage')),
});

/** Everything behind sign-in. An address may name its project; the shell keeps it from being read in another. */
const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  validateSearch: (search): { project?: string } => optional('project', text(search.project)),
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData(q.me());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401)
        throw redirect({ to: '/login', search: { next: location.href } });
      throw error;
    }
  },
  component: Shell,
  errorComponent: RouteError,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/incidents' });
  },
});

const incidents = createRoute({
  getParentRoute: () => app,
  path: '/incidents',
  validateSearch: (search): { q?: string } => optional('q', text(search.q)),
  component: lazyPage(() => import('./pages/incidents/IncidentsPage')),
});

/** Numbers are per project, so the address names the project too, and means the same to whoever it is sent to. */
const incident = createRoute({
  getParentRoute: () => app,
  path: '/incidents/$ref',
  validateSearch: (search): { tab?: 'alerts' } => (search.tab === 'alerts' ? { tab: 'alerts' } : {}),
  beforeLoad: ({ context, params, search }) => {
    if (search.project) return;
    const me = context.client.getQueryData(q.me().queryKey);
    if (me)
      throw redirect({
        to: '/incidents/$ref',
        params,
        search: { ...search, project: me.project.id },
        replace: true,
      });
  },
  component: lazyPage(() => import('./pages/incident/IncidentPage')),
});

const shortIncident = createRoute({
  getParentRoute: () => root,
  path: '/i/$ref',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/incidents/$ref', params, search: true });
  },
});

const analytics = createRoute({
  getParentRoute: () => app,
  path: '/analytics',
  validateSearch: (search): { days?: string } => optional('days', text(search.days)),
  component: lazyPage(() => import('./pages/analytics/AnalyticsPage')),
});

const integrations = createRoute({
  getParentRoute: () => app,
  path: '/integrations',
  component: lazyPage(() => import('./pages/integrations/IntegrationsPage')),
});

const integration = createRoute({
  getParentRoute: () => app,
  path: '/integrations/$id',
  component: lazyPage(() => import('./pages/integrations/IntegrationPage')),
});

const delivery = createRoute({
  getParentRoute: () => app,
  path: '/deliveries/$id',
  component: lazyPage(() => import('./pages/integrations/DeliveryPage')),
});

const notifications = createRoute({
  getParentRoute: () => app,
  path: '/notifications',
  component: lazyPage(() => import('./pages/notifications/NotificationsPage')),
});

const channel = createRoute({
  getParentRoute: () => app,
  path: '/notifications/$id',
  component: lazyPage(() => import('./pages/notifications/ChannelPage')),
});

const changes = createRoute({
  getParentRoute: () => app,
  path: '/changes',
  component: lazyPage(() => import('./pages/changes/ChangesPage')),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings/$section',
  component: lazyPage(() => import('./pages/settings/SettingsPage')),
});

const settingsHome = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  beforeLoad: () => {
    throw redirect({ to: '/settings/$section', params: { section: SETTINGS_SECTIONS[0] } });
  },
});

const tree = root.addChildren([
  home,
  login,
  invite,
  link,
  shortIncident,
  app.addChildren([
    incidents,
    incident,
    analytics,
    integrations,
    integration,
    delivery,
    notifications,
    channel,
    changes,
    settings,
    settingsHome,
  ]),
]);

/** The router; a test brings its own history. */
export function createAppRouter(client: QueryClient, history?: RouterHistory) {
  return createRouter({
    ...(history && { history }),
    routeTree: tree,
    context: { client },
    defaultPreload: 'intent',
    defaultPendingMs: 150,
    defaultPendingComponent: RoutePending,
    defaultErrorComponent: PageError,
    scrollRestoration: false,
    parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
    stringifySearch: (search) => {
      const params = new URLSearchParams();
      for (const [name, value] of Object.entries(search))
        if (value !== undefined && value !== null) params.set(name, String(value));
      const written = params.toString();
      return written ? `?${written}` : '';
    },
  });
}

export type AppRouter = ReturnType<typeof createAppRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}

/** Leaves the whole page for sign-in, keeping where the reader was. */
export function signInAgain(router: AppRouter): void {
  const { pathname, href } = router.state.location;
  if (/^\/(login|invite|link)/.test(pathname)) return;
  void router.navigate({ href: paths.login(href), ignoreBlocker: true });
}

function optional<K extends string>(name: K, value: string | undefined): { [key in K]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [key in K]?: string });
}
