// What a developer does with the SDK: deploy, look, change, delete.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as zlib from 'node:zlib';

import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ResourceNotFoundException,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';

const functions = new LambdaClient({
  endpoint: process.env.CALLGATE_ENDPOINT,
  region: process.env.CALLGATE_REGION,
  credentials: { accessKeyId: process.env.CALLGATE_KEY_ID, secretAccessKey: process.env.CALLGATE_SECRET },
});

/** A zip of one file, written by hand: there is no zip writer in Node.js. */
function zip(name, text) {
  const content = Buffer.from(text, 'utf8');
  const packed = zlib.deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(checksum(content), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(Buffer.byteLength(name), 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
  const entry = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, Buffer.alloc(14), Buffer.from(name)]);
  entry.writeUInt32LE((0o100644 << 16) >>> 0, 38);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

/** CRC-32; zlib offers it from Node.js 20.15 and 22.2 on. */
function checksum(bytes) {
  if (zlib.crc32) return zlib.crc32(bytes);
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const call = async (FunctionName) =>
  JSON.parse(Buffer.from((await functions.send(new InvokeCommand({ FunctionName }))).Payload).toString('utf8'));

test('a function’s life', async () => {
  const FunctionName = 'by-javascript';
  const waiting = { client: functions, maxWaitTime: 10, minDelay: 1, maxDelay: 1 };
  const made = await functions.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Role: process.env.CALLGATE_ROLE,
      Code: { ZipFile: zip('index.js', "exports.handler = async () => 'first';") },
    }),
  );
  assert.equal(made.State, 'Pending');
  await waitUntilFunctionActiveV2(waiting, { FunctionName });
  assert.equal(await call(FunctionName), 'first');
  await functions.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: zip('index.js', "exports.handler = async () => 'second';") }),
  );
  await waitUntilFunctionUpdatedV2(waiting, { FunctionName });
  assert.equal(await call(FunctionName), 'second');
  await functions.send(new TagResourceCommand({ Resource: made.FunctionArn, Tags: { from: 'javascript' } }));
  const found = await functions.send(new GetFunctionConfigurationCommand({ FunctionName }));
  assert.ok(found.LastModified);
  await functions.send(new DeleteFunctionCommand({ FunctionName }));
  await assert.rejects(functions.send(new GetFunctionConfigurationCommand({ FunctionName })), ResourceNotFoundException);
});
