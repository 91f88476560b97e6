'use strict';

const env = require('./env');

const database = {
  username: env.WODPGUSER,
  password: env.WODPGPASSWD,
  database: env.WODPGDB,
  host: '127.0.0.1',
  dialect: 'postgres',
  logging: false,
};
module.exports = { development: database, production: database };
