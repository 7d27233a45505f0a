/** Text of a person in which addresses can be followed; nothing else in it means anything. */
import { safeUrl } from './safeUrl';

/** An address runs to the next space; what ends the sentence or its bracket is not part of it. */
const ADDRESS = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?')\]}])/i;

export function LinkedText({ text }: { text: string }) {
  return text.split(ADDRESS).map((part, index) => {
    const url = index % 2 === 1 ? safeUrl(part) : null;
    if (!url) return part;
    return (
      <a
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts never move
        key={index}
        href={url}
        target="_blank"
        rel="noreferrer noopener"
        className="text-link-inline"
      >
        {part}
      </a>
    );
  });
}
