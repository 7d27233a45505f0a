import { render, screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { LinkedText } from './LinkedText';

const hrefs = () => screen.queryAllByRole('link').map((one) => one.getAttribute('href'));

it('makes links of http addresses, without what ends the sentence', () => {
  render(<LinkedText text="See https://wiki.example/a_(b)?q=1#x, or (http://x.example/y)." />);
  expect(hrefs()).toEqual(['https://wiki.example/a_(b)?q=1#x', 'http://x.example/y']);
  for (const link of screen.getAllByRole('link')) expect(link.getAttribute('rel')).toContain('noopener');
  expect(document.body.textContent).toBe('See https://wiki.example/a_(b)?q=1#x, or (http://x.example/y).');
});

it('makes links of nothing else', () => {
  render(
    <LinkedText text={'javascript:alert(1) ftp://x <a href="//x">data:text/html,x</a> https:// http://['} />,
  );
  expect(hrefs()).toEqual([]);
});
