// Tokens of the API: what they say, signed with the secret.
'use strict';

const crypto = require('crypto');
const config = require('../config/auth.config');

const encoded = (text) => Buffer.from(text).toString('base64url');
const signature = (text) => crypto.createHmac('sha256', config.secret).update(text).digest('base64url');

exports.make = (claims) => {
  const text = `${encoded('{"alg":"HS256","typ":"JWT"}')}.${encoded(JSON.stringify(claims))}`;
  return `${text}.${signature(text)}`;
};

exports.read = (token) => {
  const [head, claims, signed] = token.split('.');
  if (signed !== signature(`${head}.${claims}`)) return null;
  return JSON.parse(Buffer.from(claims, 'base64url').toString());
};
