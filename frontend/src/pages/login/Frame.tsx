/** The frame of the pages before sign-in. */
import type { ReactNode } from 'react';
import { Mark } from '../../components/Nav';
import { useTitle } from '../../components/title';

export function Frame({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <div className="flex min-h-dvh flex-col items-center justify-center bg-surface px-4 py-10">
      <main id="main" className="w-full max-w-sm">
        <div className="mb-6 flex items-center justify-center gap-2.5">
          <Mark className="size-8" />
          <span className="font-semibold text-lg tracking-tight">SRE Copilot</span>
        </div>
        <div className="rounded-xl border border-hairline bg-raised p-6 shadow-sm">
          <h1 className="font-semibold text-base">{title}</h1>
          {lead && <p className="mt-1 text-muted text-sm">{lead}</p>}
          <div className="mt-4">{children}</div>
        </div>
      </main>
    </div>
  );
}
