// A client of the A2A project's JavaScript SDK: node client.mjs URL TOKEN, commands as JSON lines on standard input,
// each answered with one on standard output.
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory } from '@a2a-js/sdk/client';

const [url, token] = process.argv.slice(2);
const fetchImpl = (target, options = {}) =>
  fetch(target, { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } });
const transports = [new JsonRpcTransportFactory({ fetchImpl })];
const factory = new ClientFactory(ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { transports }));

const message = (text, contextId) => ({
  message: { kind: 'message', role: 'user', messageId: randomUUID(), contextId, parts: [{ kind: 'text', text }] },
});

const actions = {
  card: async (client) => client.getAgentCard(),
  send: async (client, { text, contextId }) => client.sendMessage(message(text, contextId)),
  stream: async (client, { text }) => {
    const events = [];
    for await (const event of client.sendMessageStream(message(text))) events.push(event);
    return events;
  },
  get: async (client, { id }) => client.getTask({ id }),
  cancel: async (client, { text }) => {
    for await (const event of client.sendMessageStream(message(text))) {
      if (event.kind === 'artifact-update') return client.cancelTask({ id: event.taskId });
    }
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...given } = JSON.parse(line);
  try {
    const client = await factory.createFromUrl(url);
    console.log(JSON.stringify({ result: await actions[action](client, given) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
process.exit(0);
