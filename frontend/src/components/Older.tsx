/** The end of a list that is read page by page: the way to what is older, and how far what is shown reaches. */
import type { ReactNode } from 'react';
import { sentenceOf } from '../api/errors';
import { Button } from '../ui/Button';

type Read = {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  error: Error | null;
  fetchNextPage: () => unknown;
};

export function Older({ query, children }: { query: Read; children?: ReactNode }) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, error, fetchNextPage } = query;
  if (!hasNextPage && !children) return null;
  return (
    <div className="flex flex-wrap items-center justify-center gap-x-3 gap-y-1 px-4 py-3 text-[13px] text-muted">
      {children}
      {isFetchNextPageError && <span role="alert">{sentenceOf(error)}</span>}
      {hasNextPage && (
        <Button pending={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older
        </Button>
      )}
    </div>
  );
}
