// A foreign client: `node client.mjs URL ACTION ARGUMENT...` prints one JSON document a line.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

const [url, action, ...given] = process.argv.slice(2);
const print = (what) => console.log(JSON.stringify(what));

// What goes over HTTP besides posts, for the tests to look at.
const watched = async (address, init) => {
  const answer = await fetch(address, init);
  if (init?.method && init.method !== 'POST') print({ http: init.method, status: answer.status });
  return answer;
};

// All pages, and how many there were.
const all = async (ask, key) => {
  const found = [];
  let pages = 0;
  let cursor;
  do {
    const page = await ask(cursor === undefined ? {} : { cursor });
    found.push(...page[key]);
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== undefined);
  return { [key]: found, pages };
};

const connect = async (capabilities) => {
  const client = new Client({ name: 'foreign', version: '1' }, { capabilities });
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: watched });
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => print({ log: params }));
  if (capabilities.elicitation) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      print({ elicitation: params });
      return { action: 'accept', content: { username: 'ada', email: 'ada@example.com' } };
    });
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
      print({ sampling: params });
      return { role: 'assistant', content: { type: 'text', text: 'a text of the client' }, model: 'none' };
    });
  }
  await client.connect(transport);
  return { client, transport };
};

const call = (client, name, given) => {
  const request = { name, arguments: JSON.parse(given ?? '{}') };
  return client.callTool(request, undefined, { onprogress: (progress) => print({ progress }), timeout: 15000 });
};

const actions = {
  hello: ({ client, transport }) => {
    print({ server: client.getServerVersion(), can: client.getServerCapabilities(), session: transport.sessionId });
    print({ version: transport.protocolVersion });
  },
  list: async ({ client }) => {
    print(await all((page) => client.listTools(page), 'tools'));
    print(await all((page) => client.listPrompts(page), 'prompts'));
    print(await all((page) => client.listResources(page), 'resources'));
    print(await all((page) => client.listResourceTemplates(page), 'resourceTemplates'));
  },
  call: async ({ client }, name, given) => print(await call(client, name, given)),
  'call-twice-at-once': async ({ client }, name, given) => {
    print(await Promise.all([call(client, name, given), call(client, name, given)]));
  },
  prompt: async ({ client }, name, given) => {
    print(await client.getPrompt({ name, arguments: JSON.parse(given ?? '{}') }));
  },
  read: async ({ client }, uri) => print(await client.readResource({ uri })),
  ping: async ({ client }) => print(await client.ping()),
  // Ends the session, then asks once more with its id.
  'ask-after-end': async ({ transport }) => {
    const session = transport.sessionId;
    await transport.terminateSession();
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 99, method: 'ping' });
    const answer = await fetch(url, { method: 'POST', headers: { ...headers, 'Mcp-Session-Id': session }, body });
    print({ after: answer.status });
  },
};

try {
  const { client, transport } = await connect(action.startsWith('call') ? { elicitation: {}, sampling: {} } : {});
  await actions[action]({ client, transport }, ...given);
  if (transport.sessionId) await transport.terminateSession();
  await client.close();
} catch (error) {
  print({ error: error.constructor.name, code: error.code, message: error.message });
}
