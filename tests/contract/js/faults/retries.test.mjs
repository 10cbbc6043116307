// The AWS SDK for JavaScript v3 over a bad network: one run a call, and its answer wherever the SDK tries again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const { CALLGATE_ENDPOINT: endpoint, CALLGATE_REGION: region, CALLGATE_FUNCTION: FunctionName } = process.env;
const credentials = { accessKeyId: process.env.CALLGATE_KEY_ID, secretAccessKey: process.env.CALLGATE_SECRET };
const decoded = (answer) => JSON.parse(Buffer.from(answer.Payload).toString('utf8'));
const direct = new LambdaClient({ endpoint, region, credentials });

/** A proxy whose Invokes get these cuts, one after the other; `ended()` says which requests came. */
async function proxy(...cuts) {
  const to = new URL(endpoint).host;
  const process_ = spawn(
    'python3',
    [process.env.CALLGATE_FAULT_PROXY, '--to', to, '--match', '/invocations', '--until-eof', ...cuts.flatMap((cut) => ['--cut', cut])],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = [];
  const reader = createInterface({ input: process_.stdout });
  reader.on('line', (line) => lines.push(line));
  await once(reader, 'line');
  return {
    endpoint: `http://127.0.0.1:${lines.shift()}`,
    async ended() {
      process_.stdin.end();
      await once(process_, 'close');
      return lines.map((line) => JSON.parse(line).cut);
    },
  };
}

/** A client that sends this key with each call; `build` stands before the signature. */
function keyed(client, key) {
  client.middlewareStack.add(
    (next) => (args) => {
      args.request.headers['idempotency-key'] = key;
      return next(args);
    },
    { step: 'build', name: 'idempotencyKey' },
  );
  return client;
}

const RETRIED = new Set(['before-request', 'in-request', 'before-answer', 'leave', 'in-answer']);

for (const kind of ['sdk', 'key']) {
  for (const cut of ['none', 'before-request', 'in-request', 'before-answer', 'leave', 'in-answer', 'after-answer']) {
    test(`${kind}: ${cut}`, async () => {
      const call = randomUUID();
      const between = await proxy(cut);
      const client = new LambdaClient({ endpoint: between.endpoint, region, credentials, maxAttempts: 4 });
      const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify({ call, wait: 50, pad: 10_000 }) });
      const answer = await (kind === 'key' ? keyed(client, call) : client).send(command);
      const { runs } = decoded(answer);
      client.destroy();
      assert.equal(runs, 1);
      assert.equal(answer.$metadata.attempts, RETRIED.has(cut) ? 2 : 1);
      assert.equal((await between.ended()).length, RETRIED.has(cut) ? 2 : 1);
      assert.equal(decoded(await direct.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ ask: call }) }))), 1);
    });
  }
}
