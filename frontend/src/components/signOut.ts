/** The way out. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { actions } from '../api/actions';
import { forgetDrafts } from './drafts';

/** Ends the session here; the page starts anew either way. */
export function useSignOut(): () => void {
  const client = useQueryClient();
  const navigate = useNavigate();
  return () => {
    void actions
      .logout()
      .catch(() => undefined)
      .then(() => {
        client.clear();
        forgetDrafts();
        return navigate({ to: '/login', ignoreBlocker: true });
      });
  };
}
