// A foreign server on a free port of loopback, which it prints; it ends when its standard input does.
import express from 'express';
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, UserBuilder } from '@a2a-js/sdk/server/express';

const TOKEN = process.argv[2];
const counts = new Map(); // messages of each context
const cancelled = new Set();
const now = () => new Date().toISOString();
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

class Scripted {
  // Does what the message says: echo TEXT, spell TEXT, count, fail, drip, message TEXT (an answer without a task).
  async execute({ userMessage, taskId, contextId }, bus) {
    const [action, ...rest] = userMessage.parts[0].text.split(' ');
    const text = rest.join(' ');
    const status = (state, final, said) => {
      const parts = [{ kind: 'text', text: said }];
      const told = said && { kind: 'message', messageId: `${taskId}-end`, role: 'agent', parts, taskId, contextId };
      bus.publish({ kind: 'status-update', taskId, contextId, final, status: { state, timestamp: now(), message: told } });
    };
    let first = true;
    const piece = (said) => {
      const artifact = { artifactId: 'answer', parts: [{ kind: 'text', text: said }] };
      bus.publish({ kind: 'artifact-update', taskId, contextId, artifact, append: !first });
      first = false;
    };
    counts.set(contextId, (counts.get(contextId) ?? 0) + 1);
    if (action === 'message') {
      const parts = [{ kind: 'text', text }];
      bus.publish({ kind: 'message', messageId: `${taskId}-only`, role: 'agent', parts, contextId });
      return bus.finished();
    }
    bus.publish({ kind: 'task', id: taskId, contextId, status: { state: 'submitted', timestamp: now() }, history: [userMessage] });
    status('working', false);
    if (action === 'fail') status('failed', true, 'scripted to fail');
    else if (action === 'drip') {
      for (let number = 0; !cancelled.has(taskId) && number < 3000; number++) {
        piece(`piece ${number} `);
        await pause();
      }
      status('canceled', true);
    } else {
      if (action === 'spell') for (const letter of text) piece(letter);
      else piece(action === 'count' ? `${counts.get(contextId)}` : text);
      status('completed', true);
    }
    bus.finished();
  }

  cancelTask = async (taskId) => {
    cancelled.add(taskId);
  };
}

const app = express();
const listening = app.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${listening.address().port}/`;
  const card = {
    name: 'foreign',
    description: 'A foreign peer for tests.',
    protocolVersion: '0.3.0',
    version: '1',
    url,
    skills: [{ id: 'echo', name: 'Echo', description: 'Says it again.', tags: ['test'] }],
    capabilities: { streaming: true },
    defaultInputModes: ['text'],
    defaultOutputModes: ['text'],
  };
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new Scripted());
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }));
  app.use((request, response, next) => {
    if (request.headers.authorization === `Bearer ${TOKEN}`) return next();
    return response.status(401).json({ error: 'The foreign peer does not know this token.' });
  });
  app.use('/', jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
  console.log(url);
});
process.stdin.resume().on('end', () => process.exit(0));
