// node provision.js SETTINGS WORKSHOPS
//
// Applies the migrations that the database has not seen and brings the workshops up to
// date, all in one transaction. Prints one line for each thing that changed, so no output
// means that there was nothing to do.
import { readdir, readFile } from 'node:fs/promises';
import { openClient, readJson } from './database.js';

const MIGRATIONS = new URL('./migrations/', import.meta.url);

async function migrate(client) {
  await client.query(`
    CREATE TABLE IF NOT EXISTS migrations (
      name text PRIMARY KEY,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
  const { rows } = await client.query('SELECT name FROM migrations');
  const applied = new Set(rows.map((row) => row.name));
  const files = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.sql')).sort();
  const pending = files.filter((file) => !applied.has(file));
  for (const file of pending) {
    await client.query(await readFile(new URL(file, MIGRATIONS), 'utf8'));
    await client.query('INSERT INTO migrations (name) VALUES ($1)', [file]);
  }
  return pending.map((file) => `migration ${file}`);
}

async function updateWorkshops(client, workshops) {
  const { rows } = await client.query(
    `INSERT INTO workshops AS w (name, title, description, capacity, active)
     SELECT name, title, description, capacity, active
     FROM jsonb_to_recordset($1::jsonb)
       AS x (name text, title text, description text, capacity integer, active boolean)
     ON CONFLICT (name) DO UPDATE
       SET title = excluded.title, description = excluded.description,
           capacity = excluded.capacity, active = excluded.active
       WHERE (w.title, w.description, w.capacity, w.active)
         IS DISTINCT FROM (excluded.title, excluded.description, excluded.capacity, excluded.active)
     RETURNING name`,
    [JSON.stringify(workshops)],
  );
  return rows.map((row) => `workshop ${row.name}`);
}

const [settingsPath, workshopsPath] = process.argv.slice(2);
const client = openClient((await readJson(settingsPath)).database);
const workshops = await readJson(workshopsPath);
await client.connect();
try {
  await client.query('BEGIN');
  // Two runs at once wait for each other.
  await client.query("SELECT pg_advisory_xact_lock(hashtext('provision'))");
  const changes = [...(await migrate(client)), ...(await updateWorkshops(client, workshops))];
  await client.query('COMMIT');
  for (const change of changes) console.log(change);
} finally {
  await client.end();
}
