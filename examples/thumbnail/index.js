'use strict';

// Makes a thumbnail: `{ image: <base64>, width: 128 }` → `{ image: <base64 of a JPEG>, width, height }`. The work is done by
// a native module from npm; nothing but `npm install` is needed to get it.

const sharp = require('sharp');

const WIDTH = 128;
const WIDTH_MAX = 1024;

exports.handler = async ({ image, width = WIDTH }) => {
  if (typeof image !== 'string' || !Number.isInteger(width) || width < 1 || width > WIDTH_MAX) {
    throw new TypeError(`image must be base64 and width a whole number from 1 to ${WIDTH_MAX}`);
  }
  const made = await sharp(Buffer.from(image, 'base64'))
    .rotate()
    .resize({ width, withoutEnlargement: true })
    .jpeg()
    .toBuffer({ resolveWithObject: true });
  return { image: made.data.toString('base64'), width: made.info.width, height: made.info.height };
};
