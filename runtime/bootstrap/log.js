'use strict';

// The function's log: each call of a console method is one event, which arrives whole and in order, whatever newlines it
// has. What goes past the console (process.stdout, child processes) reaches the gateway by pipes instead.

const { apply, Date, dateToISOString, format } = require('./primordials.js');

const LEVELS = {
  __proto__: null,
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  log: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
};

/** Where log events go. */
class EventLog {
  #writer;

  /** The request that is running or ran last; none while the function is loaded, which AWS writes as `undefined`. */
  requestId = undefined;

  constructor(writer) {
    this.#writer = writer;
  }

  /** One event in AWS's form: `<ISO time>\t<request id>\t<LEVEL>\t<text>`. */
  write(level, text) {
    this.#writer.log(`${dateToISOString(new Date())}\t${this.requestId}\t${level}\t${text}`);
  }

  /** One event of the platform, which has no time and no level. */
  platform(text) {
    this.#writer.log(text);
  }

  /** Makes the console write here. */
  capture(console) {
    const methods = ['trace', 'debug', 'info', 'log', 'warn', 'error'];
    for (let at = 0; at < methods.length; at += 1) {
      const level = LEVELS[methods[at]];
      console[methods[at]] = (...values) => this.write(level, apply(format, undefined, values));
    }
  }
}

module.exports = { __proto__: null, EventLog };
