'use strict';

// Finds and loads the function: `file.export`, `dir/file.export`, `file.nested.export`.

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const { promiseThen } = require('./primordials.js');
const { runtimeError, wrapped } = require('./errors.js');

// What a function requires hangs from the entry file, as if that had been all of the runtime.
const load = createRequire(path.join(__dirname, 'index.js'));

/** Splits a handler's name into folder, module and the names on the way to the export. */
function split(name) {
  if (name.includes('..')) {
    throw runtimeError(
      'Runtime.MalformedHandlerName',
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const file = path.basename(name);
  const dot = file.indexOf('.');
  if (dot <= 0 || dot === file.length - 1) {
    throw runtimeError('Runtime.MalformedHandlerName', 'Bad handler');
  }
  return {
    folder: name.slice(0, name.length - file.length),
    module: file.slice(0, dot),
    exported: file.slice(dot + 1).split('.'),
  };
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** Whether the nearest package.json above `file` says that `.js` files are ES modules. */
function isModulePackage(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json');
    if (isFile(description)) {
      try {
        return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module';
      } catch {
        return false;
      }
    }
    if (folder === path.dirname(folder)) {
      return false;
    }
  }
}

/** Where the module is, and whether it has to be imported. */
function locate(taskRoot, folder, module) {
  const file = path.resolve(taskRoot, folder, module);
  if (isFile(file)) {
    return { file, isImported: false };
  }
  if (isFile(`${file}.js`)) {
    return { file: `${file}.js`, isImported: isModulePackage(file) };
  }
  if (isFile(`${file}.mjs`)) {
    return { file: `${file}.mjs`, isImported: true };
  }
  if (isFile(`${file}.cjs`)) {
    return { file: `${file}.cjs`, isImported: false };
  }
  // A package, or nothing: then this throws what AWS's callers know.
  return {
    file: load.resolve(module, { paths: [taskRoot, path.resolve(taskRoot, folder)] }),
    isImported: false,
  };
}

/** The handler among a module's exports. */
function pick(exports, exported, name) {
  let handler = exports;
  for (let at = 0; at < exported.length; at += 1) {
    handler = handler?.[exported[at]];
  }
  if (handler === undefined || handler === null) {
    throw runtimeError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (typeof handler !== 'function') {
    throw runtimeError('Runtime.HandlerNotFound', `${name} is not a function`);
  }
  return handler;
}

/** An error of loading under the name that AWS gives it; what the function's own code threw stays as it is. */
function named(error) {
  if (error instanceof SyntaxError) {
    return wrapped('Runtime.UserCodeSyntaxError', error);
  }
  if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
    return wrapped('Runtime.ImportModuleError', error);
  }
  return error;
}

/** A module whose top-level await does not settle while nothing is left to run. */
function unfinished(name) {
  const message = `Error: the module of '${name}' never finished loading: a top-level await did not settle`;
  return runtimeError('Runtime.ImportModuleError', message);
}

/** Loads the handler `name` below `taskRoot` and calls `loaded(handler)` or `failed(error)`, once. */
function loadHandler(taskRoot, name, loaded, failed) {
  let handler;
  try {
    const { folder, module, exported } = split(name);
    const { file, isImported } = locate(taskRoot, folder, module);
    if (isImported) {
      // The function's code has run before this settles: `await` would ask it what a promise is.
      const picked = promiseThen(import(pathToFileURL(file).href), (exports) =>
        pick(exports, exported, name),
      );
      promiseThen(picked, loaded, (error) => failed(named(error)));
      return;
    }
    handler = pick(load(file), exported, name);
  } catch (error) {
    failed(named(error));
    return;
  }
  loaded(handler);
}

module.exports = { __proto__: null, loadHandler, unfinished };
