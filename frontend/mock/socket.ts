/** The mock's side of the WebSocket. */
import { ws } from 'msw';
import { onEvent, position } from './db';

const link = ws.link(/\/ws(\?.*)?$/);

export const socketHandlers = [
  link.addEventListener('connection', ({ client }) => {
    client.send(JSON.stringify({ type: 'hello', ...position() }));
    const stop = onEvent((event) => client.send(JSON.stringify(event)));
    client.addEventListener('close', stop);
    client.addEventListener('message', (message) => {
      if (String(message.data).includes('"ping"')) client.send('{"type":"pong"}');
    });
  }),
];
