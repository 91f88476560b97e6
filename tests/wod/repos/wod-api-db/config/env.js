// The settings in the file .env: NAME=value, with or without quotes.
'use strict';

const fs = require('fs');
const path = require('path');

const file = path.join(__dirname, '..', '.env');
const lines = fs.readFileSync(file, 'utf8').split('\n').filter((line) => /^\w+=/.test(line));
module.exports = Object.fromEntries(lines.map((line) => {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1).replace(/^"(.*)"$/, '$1')];
}));
