/** The filter as text. What it means shows in the chips below it; the URL holds it. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { Search, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import type { Incident, Page } from '../../api/types';
import { useKeys } from '../../components/keys';
import { IconButton } from '../../ui/Button';
import { Key } from '../../ui/Menu';
import { completions } from './complete';
import { DEFAULT_FILTER, parseFilter } from './filter';

const PAUSE_MS = 200;

type Props = { text: string; onChange: (text: string) => void };

/** The filter as it is being typed; it takes effect at the first pause. */
export function useFilterDraft({ text, onChange }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  useEffect(() => {
    const typed = draft?.trim();
    if (typed === undefined || typed === text) return;
    const timer = setTimeout(() => onChange(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft, text, onChange]);
  const { problems, notes } = parseFilter(draft ?? text);
  return { draft, setDraft, problem: problems[0], note: draft === null ? undefined : notes[0] };
}

type Draft = ReturnType<typeof useFilterDraft>;

export function FilterBox({ text, onChange, draft: typed }: Props & { draft: Draft }) {
  const { draft, setDraft, problem } = typed;
  const input = useRef<HTMLInputElement>(null);
  const client = useQueryClient();
  const [services, setServices] = useState<string[]>([]);
  const shown = draft ?? text;
  const givenUp = useRef(false);
  /** The caret goes behind what is there: whoever types adds to the filter, and loses no `is:open`. */
  const enter = () => {
    flushSync(() => setDraft(shown === '' || shown.endsWith(' ') ? shown : `${shown} `));
    input.current?.focus();
    const end = input.current?.value.length ?? 0;
    input.current?.setSelectionRange(end, end);
  };
  useKeys('Incident list', [{ keys: '/', label: 'Filter', run: enter }]);
  return (
    <div className="relative min-w-0 flex-1">
      <form
        className="relative"
        onSubmit={(event) => {
          event.preventDefault();
          onChange(shown.trim());
        }}
      >
        <Search
          className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-muted"
          aria-hidden="true"
        />
        <input
          ref={input}
          type="search"
          aria-label="Filter incidents"
          aria-invalid={problem ? true : undefined}
          aria-describedby="filter-problem"
          placeholder="is:open severity:critical service:checkout-api"
          value={shown}
          spellCheck={false}
          autoComplete="off"
          list="filter-completions"
          onFocus={() => setServices(servicesIn(client))}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={() => {
            const typed = givenUp.current ? text : (draft?.trim() ?? text);
            givenUp.current = false;
            if (typed !== text) onChange(typed);
            setDraft(null);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            // A search field empties itself at this key, which would list everything.
            event.preventDefault();
            givenUp.current = true;
            input.current?.blur();
          }}
          className="h-8 w-full rounded-md border border-control/70 bg-page pr-9 pl-8 font-mono text-[13px] hover:border-control max-md:h-10 max-md:text-base [&::-webkit-calendar-picker-indicator]:!hidden [&::-webkit-search-cancel-button]:hidden"
        />
        <datalist id="filter-completions">
          {draft !== null &&
            completions(draft, services, Date.now()).map((one) => <option key={one} value={one} />)}
        </datalist>
        <span className="absolute top-1/2 right-1 -translate-y-1/2">
          {shown.trim() === DEFAULT_FILTER ? (
            <span className="pr-1.5 max-md:hidden">
              <Key>/</Key>
            </span>
          ) : (
            <IconButton
              label="Back to open incidents"
              className="size-6"
              onClick={() => {
                setDraft(null);
                onChange(DEFAULT_FILTER);
              }}
            >
              <X className="size-3.5" aria-hidden="true" />
            </IconButton>
          )}
        </span>
      </form>
    </div>
  );
}

/** What is wrong with the filter, or worth knowing; it covers nothing of what can be done about it. */
export function FilterSaid({ draft: { problem, note } }: { draft: Draft }) {
  const said = problem ?? note;
  return (
    <p
      id="filter-problem"
      aria-live="polite"
      className={
        said ? 'shrink-0 border-hairline border-b bg-raised px-5 py-1.5 text-[13px] max-md:px-3' : 'sr-only'
      }
    >
      {said}
    </p>
  );
}

/** The services that the lists read so far name. */
function servicesIn(client: QueryClient): string[] {
  const lists = client.getQueriesData<{ pages: Page<Incident>[] }>({ queryKey: ['incidents'] });
  const names = lists.flatMap(([, data]) =>
    (data?.pages ?? []).flatMap((page) => page.items.map((one) => one.service_name)),
  );
  return [...new Set(names.filter((name) => name !== null))].sort();
}
