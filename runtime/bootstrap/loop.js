'use strict';

// The sandbox's life: say that it is ready, become a function, then run one invocation after the other.
//
//   STARTING --BIND--> LOADING --BOUND ok--> IDLE --INVOKE--> RUNNING --RESULT--> IDLE
//                         |                    |                 |
//                         +--BOUND not ok------+--crash----------+--crash--> ENDED
//
// A CANCEL is read while its invocation runs if the function has asked for `context.signal`, and else before the next INVOKE.
//
// Between invocations the thread blocks in read(2): no timer of the function fires while nobody waits for it. If the function
// left anything to the event loop, one turn of it lies between a RESULT and that read, so that it goes on. Where nothing was
// left, a turn would do nothing but take time.

const {
  AsyncResource,
  exit,
  jsonParse,
  jsonStringify,
  processTicks,
  runInAsyncScope,
  setImmediate,
} = require('./primordials.js');
const { boundError, logged, unhandledRejection } = require('./errors.js');
const { BIND, CANCEL, INVOKE, text, VERSION, Violation } = require('./frames.js');
const classic = require('./classic.js');
const { createContext } = require('./context.js');
const { Invocation } = require('./invocation.js');
const { loadHandler, unfinished } = require('./loader.js');
const modern = require('./modern.js');
const { isLoopAlive, unwatch, watch } = require('./native.js');
const { enter } = require('./task.js');

const State = { __proto__: null, STARTING: 0, LOADING: 1, IDLE: 2, RUNNING: 3, ENDED: 4 };

/** Exit statuses, those of AWS's runtime. */
const EXIT_LOADING = 1;
const EXIT_REJECTION = 128;
const EXIT_EXCEPTION = 129;

/** The state machine of one sandbox. */
class Loop {
  #fromGateway;
  #reader;
  #writer;
  #log;
  #state = State.STARTING;
  /** What BIND said. */
  #names;
  #model;
  #handler;
  /** The invocation that is running, or ran last. */
  #invocation;
  /** Whether the event loop watches for frames of the gateway. */
  #isListening = false;
  /** Whether the frame of `#next` is on the stack, which then sees to what follows. */
  #isInNext = false;
  /**
   * Scheduling starts from here, or the AsyncLocalStorage of one caller's invocation would be that of the next one's. No
   * code of the function ever runs in it, so nothing can be left in it either.
   */
  #clean = new AsyncResource('CallgateLoop');

  constructor(fromGateway, reader, writer, log) {
    this.#fromGateway = fromGateway;
    this.#reader = reader;
    this.#writer = writer;
    this.#log = log;
  }

  /** Says READY, waits for BIND and loads the function. */
  start() {
    this.#writer.ready(jsonStringify({ protocol: VERSION, node: process.version }));
    const reader = this.#receive(BIND);
    const names = jsonParse(text(reader.body, reader.start, reader.end));
    if (names.protocol !== VERSION) {
      throw new Violation('version', `a BIND of version ${names.protocol}`);
    }
    this.#names = names;
    this.#model = names.model === 'classic' ? classic : modern;
    this.#state = State.LOADING;
    enter(names);
    loadHandler(
      names.taskRoot,
      names.handler,
      (handler) => this.#loaded(handler),
      (error) => this.#failedToLoad(error, EXIT_LOADING),
    );
  }

  /** The event loop has nothing left to run. */
  emptied() {
    if (this.#state === State.RUNNING) {
      this.#model.emptied(this.#invocation, this.#log);
    } else if (this.#state === State.LOADING) {
      this.#failedToLoad(unfinished(this.#names.handler), EXIT_LOADING);
    }
  }

  /** An error that nobody caught. */
  crashed(error) {
    this.#crash('Uncaught Exception', error, EXIT_EXCEPTION);
  }

  /** A rejection that nobody handled. */
  rejected(reason, promise) {
    this.#crash('Unhandled Promise Rejection', unhandledRejection(reason, promise), EXIT_REJECTION);
  }

  #crash(label, error, status) {
    if (this.#state === State.LOADING) {
      this.#failedToLoad(error, status);
      return;
    }
    if (this.#state === State.STARTING) {
      // No function yet: it is the bootstrap or the gateway that failed, and its word goes to the gateway's log.
      this.#log.platform(logged(error));
    } else {
      this.#log.write('ERROR', this.#model.logLine(label, error));
    }
    if (this.#state === State.RUNNING) {
      this.#invocation.crash(this.#model.describe(error));
    }
    this.#state = State.ENDED;
    exit(status);
  }

  #loaded(handler) {
    // A crash in between has been answered.
    if (this.#state === State.LOADING) {
      this.#handler = handler;
      this.#state = State.IDLE;
      this.#writer.bound('{"ok":true}');
      this.#schedule(this.#next);
    }
  }

  #failedToLoad(error, status) {
    if (this.#state === State.LOADING) {
      this.#state = State.ENDED;
      this.#log.write('ERROR', this.#model.logLine('Uncaught Exception', error));
      this.#writer.bound(boundError(error));
    }
    exit(status);
  }

  /** Blocks for the next frame. The gateway's leaving ends the sandbox. */
  #receive(kind) {
    for (;;) {
      this.#read();
      if (this.#reader.kind === kind) {
        return this.#reader;
      }
      // One for an invocation that has ended meanwhile comes too late.
      this.#mustBeCancel();
    }
  }

  #read() {
    if (!this.#reader.next()) {
      exit(0);
    }
  }

  #mustBeCancel() {
    const { kind } = this.#reader;
    if (kind !== CANCEL || this.#invocation === undefined || !this.#invocation.isMeantBy(this.#reader)) {
      throw new Violation('order', `a frame of kind ${kind} out of order`);
    }
  }

  /** The function wants to hear of a CANCEL. */
  #listen = () => {
    this.#isListening = true;
    watch(this.#fromGateway, this.#heard);
    if (this.#reader.isAhead) {
      // It came with the INVOKE, and the socket has nothing more to tell.
      this.#heard();
    }
  };

  /** A frame is there while the function runs. */
  #heard = () => {
    if (this.#state === State.RUNNING) {
      this.#read();
      this.#mustBeCancel();
      this.#invocation.cancel();
    }
  };

  #schedule(task) {
    runInAsyncScope(this.#clean, setImmediate, undefined, task);
  }

  #next = () => {
    this.#isInNext = true;
    do {
      this.#begin();
      processTicks();
    } while (this.#state === State.IDLE && !isLoopAlive());
    this.#isInNext = false;
    if (this.#state === State.IDLE) {
      this.#schedule(this.#next);
    }
  };

  #begin() {
    const invocation = new Invocation(this.#receive(INVOKE), this.#writer, this.#ended, this.#listen);
    this.#reader.release();
    this.#invocation = invocation;
    this.#log.requestId = invocation.requestId;
    this.#state = State.RUNNING;
    if (invocation.frozenMs === 0) {
      // In a scope of its own: what it puts into an AsyncLocalStorage must end with it.
      runInAsyncScope(new AsyncResource('CallgateInvocation'), this.#run);
    } else {
      // Sockets may have died while the sandbox slept. One full turn of the loop tells their owners so; with less, a
      // request would be sent into a dead connection.
      setImmediate(() => setImmediate(this.#run));
    }
  }

  #run = () => {
    const invocation = this.#invocation;
    const context = createContext(this.#names, invocation.takeMeta(), invocation);
    this.#model.run(this.#handler, invocation.takeEvent(), context, invocation, this.#log);
  };

  #ended = (isSpent) => {
    if (this.#isListening) {
      this.#isListening = false;
      unwatch();
    }
    if (!isSpent) {
      this.#state = State.IDLE;
      if (!this.#isInNext) {
        this.#schedule(this.#next);
      }
    }
  };
}

module.exports = { __proto__: null, Loop };
