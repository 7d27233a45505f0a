/** The reader's own account: the password, and where they are signed in. */
import { Password } from './Password';
import { Sessions } from './Sessions';

export function Account() {
  return (
    <div className="grid grid-cols-1 gap-4">
      <Sessions />
      <Password />
    </div>
  );
}
