/** The secret by which a receiver knows what this server sent; it is shown once. */
import { ShownOnce } from '../../components/ShownOnce';

type Props = { name: string; secret: string; again?: boolean; onClose: () => void };

export function SigningSecret({ name, secret, again = false, onClose }: Props) {
  const rotation = again ? ' What is sent in the next 24 hours is signed with the old one, too.' : '';
  return (
    <ShownOnce
      title={`Signing secret of ${name}`}
      description={`Give it to the receiver, which checks the signature with it (Standard Webhooks). It is not shown again.${rotation}`}
      noun="secret"
      label="Signing secret"
      text={secret}
      onClose={onClose}
    />
  );
}
