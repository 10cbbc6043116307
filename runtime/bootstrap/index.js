'use strict';

// The entry: `node /runtime/bootstrap/index.js` with the gateway's socket as descriptor 3.

require('./native.js');
const { FrameReader, FrameWriter } = require('./frames.js');
const { EventLog } = require('./log.js');
const { Loop } = require('./loop.js');

const SOCKET = 3;

const writer = new FrameWriter(SOCKET);
const log = new EventLog(writer);
const loop = new Loop(new FrameReader(SOCKET), writer, log);

log.capture(console);
process.on('beforeExit', () => loop.emptied());
process.on('uncaughtException', (error) => loop.crashed(error));
process.on('unhandledRejection', (reason, promise) => loop.rejected(reason, promise));

// Functions look into the cache and empty it; what is the bootstrap's is not theirs.
for (const file of Object.keys(require.cache)) {
  delete require.cache[file];
}

loop.start();
