'use strict';

const { sum } = require('./build/Release/sum.node');

exports.handler = async ({ a, b }) => ({ sum: sum(a, b), node: process.version });
