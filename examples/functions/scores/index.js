'use strict';

// A high-score list. With {player, points} it takes a score in; it always answers the ten best, best first.
//
// The list lives in a file of the sandbox's own /tmp, so that the example needs no database: it is there for as long as this
// sandbox is, a second sandbox has a second list, and an update of the function begins a new one. A real list goes into a
// database.

const { readFileSync, writeFileSync } = require('node:fs');

const FILE = '/tmp/scores.json';
const KEPT = 10;
const NAME_LENGTH_MAX = 40;

function kept() {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8'));
  } catch {
    return [];
  }
}

exports.handler = async (event) => {
  const scores = kept();
  if (event?.player === undefined) {
    return scores;
  }
  const { player, points } = event;
  if (typeof player !== 'string' || player.length > NAME_LENGTH_MAX || !Number.isSafeInteger(points)) {
    throw new TypeError('a score has a player, a name of at most 40 characters, and points, a whole number');
  }
  scores.push({ player, points });
  scores.sort((one, other) => other.points - one.points);
  scores.length = Math.min(scores.length, KEPT);
  writeFileSync(FILE, JSON.stringify(scores));
  return scores;
};
