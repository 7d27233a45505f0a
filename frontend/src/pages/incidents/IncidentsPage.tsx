/** The incident list: filter, summary, rows, and what can be done to several at once. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useKeys } from '../../components/keys';
import { useBlocked } from '../../components/me';
import { PageHeader } from '../../components/PageHeader';
import { useTitle } from '../../components/title';
import { Button } from '../../ui/Button';
import { FilterBox, FilterSaid, useFilterDraft } from './FilterBox';
import { DEFAULT_FILTER } from './filter';
import { NewIncident } from './NewIncident';
import { Rows } from './Rows';
import { StillFiring } from './StillFiring';
import { SummaryStrip } from './SummaryStrip';
import { ViewMenu } from './ViewMenu';

export default function IncidentsPage() {
  useTitle('Incidents');
  const search = useSearch({ from: '/app/incidents' });
  const text = search.q ?? DEFAULT_FILTER;
  const navigate = useNavigate();
  const setText = useCallback(
    (next: string) =>
      void navigate({
        to: '/incidents',
        search: next === DEFAULT_FILTER ? {} : { q: next },
        replace: true,
      }),
    [navigate],
  );
  const draft = useFilterDraft({ text, onChange: setText });
  const [creating, setCreating] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const blocked = useBlocked('engineer');
  useKeys('Incident list', [{ keys: 'n', label: 'New incident', run: () => !blocked && setCreating(true) }]);
  return (
    <>
      <PageHeader
        title={
          <>
            <h1 className="sr-only">Incidents</h1>
            <FilterBox text={text} onChange={setText} draft={draft} />
          </>
        }
      >
        <ViewMenu text={text} onChange={setText} />
        <Button look="primary" blocked={blocked} onClick={() => setCreating(true)} className="max-md:px-2.5">
          <Plus className="size-4" aria-hidden="true" />
          <span className="max-md:sr-only">New incident</span>
        </Button>
      </PageHeader>
      <FilterSaid draft={draft} />
      <SummaryStrip text={text} onChange={setText} onChoose={() => setChoosing(true)} />
      <StillFiring />
      <Rows
        text={text}
        onReset={() => setText(DEFAULT_FILTER)}
        choosing={choosing}
        onChosen={() => setChoosing(false)}
      />
      {creating && <NewIncident onClose={() => setCreating(false)} />}
    </>
  );
}
