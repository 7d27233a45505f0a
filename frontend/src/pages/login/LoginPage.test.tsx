import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';

it('sends a stranger to sign-in and back to where they wanted to be', async () => {
  db.signedIn = false;
  const { user, at } = renderApp('/incidents/INC-142?tab=alerts');
  await user.type(await screen.findByLabelText('E-mail'), 'robin@shop.example');
  await user.type(screen.getByLabelText('Password'), 'a good long one');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  await waitFor(() => expect(at()).toBe(`/incidents/INC-142?tab=alerts&project=${db.me.project.id}`));
  expect(await screen.findByRole('heading', { name: /14% of requests/, level: 1 })).toBeTruthy();
});

it('says that the password is wrong, and stays', async () => {
  db.signedIn = false;
  const { user, at } = renderApp('/login');
  await user.type(await screen.findByLabelText('E-mail'), 'robin@shop.example');
  await user.type(screen.getByLabelText('Password'), 'wrong password!');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  expect((await screen.findByRole('alert')).textContent).toBe('E-mail or password is wrong.');
  expect(at()).toBe('/login');
});

it('lets the first visitor register, and names the field the server refused', async () => {
  seed('first');
  const { user, at } = renderApp('/login');
  await user.type(await screen.findByLabelText('Your name'), 'Sam First');
  await user.type(screen.getByLabelText('Organisation'), 'Shop');
  await user.type(screen.getByLabelText('E-mail'), 'sam');
  await user.type(screen.getByLabelText('Password'), 'short');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByText('Use at least 15 characters.')).toBeTruthy();
  await user.type(screen.getByLabelText('Password'), ' but now longer');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByText('This is not an e-mail address.')).toBeTruthy();
  expect(screen.queryByRole('alert')).toBeNull();
  await user.type(screen.getByLabelText('E-mail'), '@shop.example');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  await waitFor(() => expect(at()).toBe('/incidents'));
  expect(await screen.findByText('Nothing is connected yet')).toBeTruthy();
});

it.each([
  [true, 'You are signed in already: go to the dashboard', '/'],
  [false, 'Go to sign-in', '/login'],
])('leads from a used link to where one can go on; signed in: %s', async (signedIn, name, href) => {
  db.signedIn = signedIn;
  location.hash = '#used';
  renderApp('/link');
  expect((await screen.findByRole('link', { name })).getAttribute('href')).toBe(href);
  expect(screen.getByText('This link was used already.')).toBeTruthy();
});

it('does not offer registration once somebody is here', async () => {
  db.signedIn = false;
  renderApp('/login');
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeTruthy();
  expect(await screen.findByText(/come by invitation/)).toBeTruthy();
  expect(screen.queryByText('Create an account')).toBeNull();
});
