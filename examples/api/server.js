// node server.js SETTINGS
import express from 'express';
import { openPool, readJson } from './database.js';

const { listen, database } = await readJson(process.argv[2]);
const pool = openPool(database);
const app = express();
app.disable('x-powered-by');

app.get('/', (request, response) => {
  response.json({ hello: 'hi!' });
});

app.get('/api/health', async (request, response) => {
  await pool.query('SELECT 1 FROM workshops LIMIT 1');
  response.json({ database: 'ok' });
});

// ?active=true or ?active=false narrows the list.
app.get('/api/workshops', async (request, response) => {
  const { active } = request.query;
  if (active !== undefined && active !== 'true' && active !== 'false') {
    response.status(400).json({ error: 'active is "true" or "false"' });
    return;
  }
  const { rows } = await pool.query(
    `SELECT name, title, description, capacity, active FROM workshops
     WHERE $1::boolean IS NULL OR active = $1::boolean
     ORDER BY title`,
    [active ?? null],
  );
  response.json(rows);
});

app.use((request, response) => {
  response.status(404).json({ error: 'not found' });
});

// Errors are the server's business: the log gets the reason, the caller does not.
app.use((error, request, response, next) => {
  console.error(`${request.method} ${request.path}: ${error.message}`);
  response.status(503).json({ error: 'the database does not answer' });
});

const server = app.listen(listen.port, listen.host, (error) => {
  if (error) throw error;
  console.log(`listening on ${listen.host}:${listen.port}`);
});

process.on('SIGTERM', () => {
  server.close(() => pool.end());
  server.closeIdleConnections();
});
