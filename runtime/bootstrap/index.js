'use strict';

// The entry: `node /runtime/bootstrap/index.js` with the gateway's sockets as descriptors 3 and 4.

require('./native.js');
const { close, FrameReader, FrameWriter } = require('./frames.js');
const { EventLog } = require('./log.js');
const { Loop } = require('./loop.js');

/** What the gateway says, and what it is told. */
const FROM_GATEWAY = 3;
const TO_GATEWAY = 4;

const writer = new FrameWriter(TO_GATEWAY);
const log = new EventLog(writer);
const loop = new Loop(FROM_GATEWAY, new FrameReader(FROM_GATEWAY), writer, log);

log.capture(console);
process.on('beforeExit', () => loop.emptied());
process.on('uncaughtException', (error) => loop.crashed(error));
process.on('unhandledRejection', (reason, promise) => loop.rejected(reason, promise));

process.on('exit', () => {
  close(FROM_GATEWAY);
  close(TO_GATEWAY);
});

// Functions look into the cache and empty it; what is the bootstrap's is not theirs.
for (const file of Object.keys(require.cache)) {
  delete require.cache[file];
}

loop.start();
