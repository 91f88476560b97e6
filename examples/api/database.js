// Settings and connections, shared by the service and by provision.js.
import { readFile } from 'node:fs/promises';
import pg from 'pg';

export async function readJson(path) {
  return JSON.parse(await readFile(path, 'utf8'));
}

// The password is read whenever a connection is opened, so a new one needs no restart.
export function connectionOptions({ host, port, name, user, passwordFile }) {
  return {
    host,
    port,
    database: name,
    user,
    password: async () => (await readFile(passwordFile, 'utf8')).trim(),
    connectionTimeoutMillis: 5000,
  };
}

export function openPool(database) {
  const pool = new pg.Pool(connectionOptions(database));
  // Without a listener, an idle connection that breaks would end the process.
  pool.on('error', (error) => console.error(`idle connection: ${error.message}`));
  return pool;
}

export function openClient(database) {
  return new pg.Client(connectionOptions(database));
}
