// A server of the A2A project's JavaScript SDK: prints its address, spells what it is told, ends with its standard input.
import { randomUUID } from 'node:crypto';
import express from 'express';
import { AGENT_CARD_PATH } from '@a2a-js/sdk';
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, UserBuilder } from '@a2a-js/sdk/server/express';

const status = (state) => ({ state, timestamp: new Date().toISOString() });

class Speller {
  cancelTask = async () => {};

  async execute(context, bus) {
    const { taskId, contextId, userMessage } = context;
    const artifactId = randomUUID();
    bus.publish({ kind: 'task', id: taskId, contextId, status: status('submitted'), history: [userMessage] });
    [...userMessage.parts[0].text].forEach((letter, index) => {
      const artifact = { artifactId, name: 'answer', parts: [{ kind: 'text', text: letter }] };
      bus.publish({ kind: 'artifact-update', taskId, contextId, append: index > 0, lastChunk: false, artifact });
    });
    bus.publish({ kind: 'status-update', taskId, contextId, status: status('completed'), final: true });
    bus.finished();
  }
}

const app = express();
const server = app.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}/`;
  const card = {
    name: 'speller', description: 'Spells what it is told.', protocolVersion: '0.3.0', version: '1', url,
    preferredTransport: 'JSONRPC', capabilities: { streaming: true }, defaultInputModes: ['text'],
    defaultOutputModes: ['text'], skills: [{ id: 'spell', name: 'Spell', description: 'Spells.', tags: [] }],
  };
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new Speller());
  app.use(`/${AGENT_CARD_PATH}`, agentCardHandler({ agentCardProvider: requestHandler }));
  app.use('/', jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
  console.log(url);
});
process.stdin.on('end', () => process.exit(0)).resume();
