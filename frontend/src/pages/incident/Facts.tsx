/** The first five seconds: how bad, what, since when, who has it, and one big button. */
import { BellRing } from 'lucide-react';
import { useState } from 'react';
import type { Incident } from '../../api/types';
import { isUntaken } from '../../components/moves';
import { SeverityBadge, severityInk } from '../../components/Severity';
import { StateBadge } from '../../components/State';
import { Clamp } from '../../ui/Clamp';
import { cx } from '../../ui/cx';
import { Remark } from '../../ui/Notice';
import { counted } from '../../util/numbers';
import { sentence } from '../../util/sentence';
import { DeskActions } from './Actions';
import { Edit } from './Edit';
import { FactList } from './FactList';
import { MergedInto } from './MergedInto';
import { Snoozed } from './Snooze';
import { Told } from './Told';
import { WithCode } from './WithCode';

export function Facts({ incident }: { incident: Incident }) {
  const [editing, setEditing] = useState(false);
  const over = !incident.open;
  return (
    <section aria-label="Facts" className="print:mb-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <SeverityBadge severity={incident.severity} quiet={over} />
        <StateBadge state={incident.state} />
        {(incident.state === 'detected' || isUntaken(incident)) && (
          <span className={cx('font-medium text-[13px]', severityInk(incident.severity))}>
            {incident.state === 'detected' ? 'Not acknowledged' : 'Nobody has acknowledged it'}
          </span>
        )}
        {over && incident.open_alert_count > 0 && (
          <span className="inline-flex items-center gap-1.5 font-medium text-[13px] text-high">
            <BellRing className="size-4" aria-hidden="true" />
            {counted(incident.open_alert_count, 'alert')} still firing
          </span>
        )}
        <Snoozed incident={incident} />
        {incident.flapping && <span className="text-[13px] text-medium">Flapping</span>}
        {incident.stale && <span className="text-[13px] text-medium">Its source has gone silent</span>}
      </div>
      <h1 className="mt-2 font-semibold text-xl leading-7 tracking-tight [overflow-wrap:anywhere] max-md:text-lg">
        <Clamp lines={3}>{incident.title}</Clamp>
      </h1>
      <FactList incident={incident} />
      <Told incident={incident} />
      {incident.severity_note && (
        <p className="mt-2 text-[13px] text-muted [overflow-wrap:anywhere]">
          <WithCode text={sentence(incident.severity_note)} />
        </p>
      )}
      {incident.merged_into && (
        <div className="mt-3">
          <Remark>
            This was merged into <MergedInto id={incident.merged_into} />, which has its alerts and comments.
          </Remark>
        </div>
      )}
      <DeskActions incident={incident} onEdit={() => setEditing(true)} />
      {editing && <Edit incident={incident} onClose={() => setEditing(false)} />}
    </section>
  );
}
