'use strict';

// A bootstrap in a process of its own with a function in a folder of its own, spoken to as the gateway does.

const { execFileSync, spawn } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const wire = require('./wire.js');

const RUNTIME = path.join(__dirname, '..', '..');
const ENTRY = path.join(unpacked(), 'index.js');

/** The bootstrap beside its native part, as the gateway unpacks it; a folder that goes with this process. */
function unpacked() {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'callgate-runtime-')));
  process.on('exit', () => fs.rmSync(root, { recursive: true, force: true }));
  fs.cpSync(path.join(RUNTIME, 'bootstrap'), root, { recursive: true });
  const source = path.join(RUNTIME, 'native', 'sandbox.c');
  execFileSync('cc', ['-shared', '-fPIC', '-o', path.join(root, 'sandbox.node'), source]);
  return root;
}

/** Writes `files` (name to text) to a new folder, which goes with the test. */
function folder(t, files) {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'callgate-task-')));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
  return root;
}

/** One running bootstrap. */
class Sandbox {
  #child;
  #to;
  #from;
  #rest = Buffer.alloc(0);
  #frames = [];
  #wake = () => {};
  #isClosed = false;
  #ended;

  /** What the process wrote to descriptor 1 and 2. */
  output = '';

  constructor(t) {
    // Pipes of Node.js's child processes are socketpairs whose ends in the child block: what the gateway makes, too.
    this.#child = spawn(process.execPath, [ENTRY], {
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'close');
    t.after(() => this.#child.kill('SIGKILL'));
    [, , , this.#to, this.#from] = this.#child.stdio;
    this.#from.on('data', (bytes) => this.#read(bytes));
    // A sandbox that dies with something unread resets its sockets; the test looks at what was said.
    this.#to.on('error', () => {});
    this.#from.on('error', () => {});
    this.#from.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (bytes) => {
        this.output += bytes;
      });
    }
  }

  #read(bytes) {
    const { frames, rest } = wire.take(Buffer.concat([this.#rest, bytes]));
    this.#rest = rest;
    this.#frames.push(...frames);
    this.#wake();
  }

  /** Sends bytes as they are. */
  send(bytes) {
    this.#to.write(bytes);
  }

  /** The next frame; undefined when the sandbox has closed its end. */
  async next() {
    while (this.#frames.length === 0 && !this.#isClosed) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#frames.shift();
  }

  /** The frames up to the next one that is no log: `{...frame, logs}`. */
  async answer() {
    const logs = [];
    for (;;) {
      const frame = await this.next();
      if (frame === undefined || frame.kind !== 'LOG') {
        return { ...frame, logs };
      }
      logs.push(frame.text);
    }
  }

  /** Binds to the function in `taskRoot`; the answer is BOUND's. */
  async bind(description) {
    const ready = await this.next();
    this.send(wire.bind({ ...DESCRIPTION, protocol: ready.protocol, ...description }));
    return this.answer();
  }

  /** Calls the function: `{status, json, value, flags, logs, id}`. */
  async invoke(payload, options = {}) {
    const id = options.id ?? randomUUID();
    const text = payload === undefined ? '' : JSON.stringify(payload);
    const meta = options.meta === undefined ? '' : JSON.stringify(options.meta);
    this.send(wire.invoke({ deadlineMs: Date.now() + 3000, ...options, id, meta, payload: text }));
    const answer = await this.answer();
    return answer.kind === 'RESULT' && answer.json !== ''
      ? { ...answer, value: JSON.parse(answer.json) }
      : answer;
  }

  /** Closes the gateway's ends. */
  leave() {
    this.#to.destroy();
    this.#from.destroy();
  }

  /** How the process ended: `{code, signal}`. */
  async exit() {
    const [code, signal] = await this.#ended;
    return { code, signal };
  }
}

const DESCRIPTION = {
  functionName: 'greet',
  functionVersion: '$LATEST',
  memoryLimitInMB: '128',
  handler: 'index.handler',
  runtime: 'nodejs22.x',
  model: 'modern',
  region: 'us-east-1',
  logGroupName: '/aws/lambda/greet',
  logStreamName: '2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef',
  environment: {},
};

/** Starts a bootstrap that is bound to the function whose only file has the text `code`. */
async function load(t, code, description = {}) {
  const sandbox = new Sandbox(t);
  const taskRoot = folder(t, { 'index.js': code });
  const bound = await sandbox.bind({ taskRoot, ...description });
  if (bound.ok !== true) {
    throw new Error(`the function did not load: ${JSON.stringify(bound)}`);
  }
  return sandbox;
}

/** `load` for the model of 2014–15. */
function loadClassic(t, code, description = {}) {
  return load(t, code, { runtime: 'nodejs', model: 'classic', ...description });
}

const Status = { VALUE: 0, HANDLED: 1, UNHANDLED: 2, TOO_LARGE: 3 };
const SPENT = 1;

module.exports = { folder, load, loadClassic, Sandbox, SPENT, Status, unpacked };
