/** The name of a project, new or old. */
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Project } from '../../api/types';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, TextField } from '../../ui/Field';

export function ProjectDialog({ project, onClose }: { project?: Project; onClose: () => void }) {
  const save = useAction(
    (name: string) =>
      project ? actions.renameProject({ id: project.id, name }) : actions.createProject(name),
    ['projects', 'me'],
  );
  const { register, handleSubmit, formState } = useForm({ defaultValues: { name: project?.name ?? '' } });
  return (
    <Dialog open onClose={onClose} title={project ? `Rename ${project.name}` : 'New project'}>
      <form
        noValidate
        className="space-y-3"
        onSubmit={handleSubmit(({ name }) => save.mutate(name.trim(), { onSuccess: onClose }))}
      >
        <TextField
          label="Name"
          placeholder="Production"
          autoFocus
          error={formState.errors.name?.message}
          {...register('name', { validate: (name) => name.trim() !== '' || 'A name is needed.' })}
        />
        <FormError>{save.error && sentenceOf(save.error)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={save.isPending}>
            {project ? 'Rename' : 'Create'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
