/** One integration: the snippet to paste on the left, what arrives on the right. */
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ChevronLeft, Ellipsis } from 'lucide-react';
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Integration } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow } from '../../components/Kept';
import { useBlocked, useMe } from '../../components/me';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { IconButton } from '../../ui/Button';
import { Menu, MenuItem } from '../../ui/Menu';
import { Remark, Skeleton } from '../../ui/Notice';
import { toast } from '../../ui/Toast';
import { counted } from '../../util/numbers';
import { ApiCard } from './ApiCard';
import { Arrivals } from './Arrivals';
import { Recipe } from './Recipe';
import { rememberToken } from './tokens';

export default function IntegrationPage() {
  const { id } = useParams({ from: '/app/integrations/$id' });
  const { project } = useMe();
  const query = useQuery(q.integration(project.id, id));
  return (
    <>
      <PageHeader
        title={
          <>
            <Link
              to="/integrations"
              className="flex h-8 items-center gap-1 rounded-md pr-2 text-[13px] text-muted hover:text-text"
            >
              <ChevronLeft className="size-4" aria-hidden="true" />
              <span className="max-md:sr-only">Integrations</span>
            </Link>
            <PageTitle>{query.data?.name ?? 'Integration'}</PageTitle>
          </>
        }
      >
        {query.data && <More integration={query.data} />}
      </PageHeader>
      <PageBody>
        {query.data ? (
          <div className="mx-auto grid grid-cols-1 max-w-6xl items-start gap-4 lg:grid-cols-[minmax(0,1fr)_400px]">
            <div className="grid min-w-0 grid-cols-1 gap-4">
              <NotOfNow error={query.error} readAt={query.dataUpdatedAt} />
              {query.data.truncated_alerts > 0 && <Truncated integration={query.data} />}
              <Recipe integration={query.data} />
              <ApiCard integration={query.data} />
            </div>
            <Arrivals integration={query.data} />
          </div>
        ) : query.isError ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton rows={6} />
        )}
      </PageBody>
    </>
  );
}

function Truncated({ integration }: { integration: Integration }) {
  return (
    <Remark tone="warn">
      {counted(integration.truncated_alerts, 'alert was', 'alerts were')} cut off by the sender. Raise{' '}
      <code className="font-mono">max_alerts</code> of its webhook, or set it to 0.
    </Remark>
  );
}

function More({ integration }: { integration: Integration }) {
  const { project } = useMe();
  const navigate = useNavigate();
  const blocked = useBlocked('admin');
  const [asking, setAsking] = useState<'rotate' | 'delete' | null>(null);
  const rotate = useAction(actions.rotateToken, ['integration']);
  const drop = useAction(actions.deleteIntegration, ['integrations']);
  if (blocked) return null;
  const target = { project: project.id, id: integration.id };
  return (
    <>
      <Menu
        trigger={
          <IconButton label="More actions">
            <Ellipsis className="size-4" aria-hidden="true" />
          </IconButton>
        }
      >
        <MenuItem onClick={() => setAsking('rotate')}>New token</MenuItem>
        <MenuItem danger onClick={() => setAsking('delete')}>
          Delete
        </MenuItem>
      </Menu>
      {asking === 'rotate' && (
        <Confirm
          title="Make a new token?"
          action="Make a new token"
          pending={rotate.isPending}
          error={rotate.error && sentenceOf(rotate.error)}
          onClose={() => setAsking(null)}
          onConfirm={() =>
            rotate.mutate(target, {
              onSuccess: (made) => {
                rememberToken({ id: integration.id, ...made });
                setAsking(null);
                toast({ title: 'The snippet now has the new token' });
              },
            })
          }
        >
          The old one works for another 24 hours, so nothing is lost while you change the configuration.
        </Confirm>
      )}
      {asking === 'delete' && (
        <Confirm
          title={`Delete ${integration.name}?`}
          action="Delete"
          danger
          pending={drop.isPending}
          error={drop.error && sentenceOf(drop.error)}
          onClose={() => setAsking(null)}
          onConfirm={() =>
            drop.mutate(target, {
              onSuccess: () => void navigate({ to: '/integrations', ignoreBlocker: true }),
            })
          }
        >
          Its token stops working at once and what it sends is refused. Incidents it opened stay.
        </Confirm>
      )}
    </>
  );
}
