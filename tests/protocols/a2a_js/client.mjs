// A foreign client: `node client.mjs URL TOKEN ACTION ARGUMENT...` prints one JSON document a line.
import { randomUUID } from 'node:crypto';
import { ClientFactory, JsonRpcTransportFactory } from '@a2a-js/sdk/client';

const [url, token, action, ...given] = process.argv.slice(2);
const print = (what) => console.log(JSON.stringify(what));
const message = (text, contextId) => ({
  message: { kind: 'message', messageId: randomUUID(), role: 'user', parts: [{ kind: 'text', text }], contextId },
});
const withToken = (address, init = {}) => {
  const headers = new Headers(init.headers);
  if (token) headers.set('Authorization', `Bearer ${token}`);
  return fetch(address, { ...init, headers });
};

const actions = {
  card: async (client) => print(await client.getAgentCard()),
  send: async (client, text, context) => print(await client.sendMessage(message(text, context))),
  stream: async (client, text, context) => {
    for await (const event of client.sendMessageStream(message(text, context))) print(event);
  },
  get: async (client, id) => print(await client.getTask({ id })),
  cancel: async (client, id) => print(await client.cancelTask({ id })),
  // Starts a task without end, cancels it at its first piece, and prints what the stream tells until it ends.
  'stream-and-cancel': async (client, text) => {
    let cancelled;
    for await (const event of client.sendMessageStream(message(text))) {
      print(event);
      if (event.kind === 'artifact-update') cancelled ??= client.cancelTask({ id: event.taskId });
    }
    print(await cancelled);
  },
};

try {
  const factory = new ClientFactory({ transports: [new JsonRpcTransportFactory({ fetchImpl: withToken })] });
  await actions[action](await factory.createFromUrl(url), ...given);
} catch (error) {
  print({ kind: 'error', name: error.constructor.name, message: error.message });
}
