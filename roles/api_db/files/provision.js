// Brings the rows of the API's database up to date: adds what is missing, updates what differs,
// drops nothing. Run in the folder of the API; reads what is wanted as JSON from standard input
// (it holds passwords) and prints one line for each row that it changed.
'use strict';

const fs = require('fs');
const path = require('path');
const here = (name) => require(require.resolve(name, { paths: [process.cwd()] }));
const yaml = here('js-yaml');
const { sequelize } = here('./models');

const wanted = JSON.parse(fs.readFileSync(0, 'utf8'));
sequelize.options.logging = false;

const quoted = (name) => `"${name}"`;
const rows = async (sql, bind = []) => (await sequelize.query(sql, { bind, raw: true }))[0];
const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

// One row: inserted if no row has the key, else only the columns that differ are written.
async function upsert(table, key, row, onInsert = {}) {
  const where = Object.keys(key).map((name, i) => `${quoted(name)} = $${i + 1}`).join(' AND ');
  const [found] = await rows(`SELECT * FROM ${quoted(table)} WHERE ${where}`, Object.values(key));
  if (!found) {
    const now = new Date().toISOString();
    const all = { ...key, ...row, ...onInsert, createdAt: now, updatedAt: now };
    const names = Object.keys(all);
    await rows(
      `INSERT INTO ${quoted(table)} (${names.map(quoted)}) VALUES (${names.map((_, i) => `$${i + 1}`)})`,
      Object.values(all)
    );
    return console.log(`${table}: added ${Object.values(key)}`);
  }
  const changed = Object.keys(row).filter((name) => !same(found[name], row[name]));
  if (changed.length === 0) return;
  const set = [...changed, 'updatedAt'].map((name, i) => `${quoted(name)} = $${i + 1}`);
  const values = [...changed.map((name) => row[name]), new Date().toISOString()];
  const at = Object.keys(key).map((name, i) => `${quoted(name)} = $${values.length + i + 1}`).join(' AND ');
  await rows(`UPDATE ${quoted(table)} SET ${set} WHERE ${at}`, [...values, ...Object.values(key)]);
  console.log(`${table}: updated ${Object.values(key)} (${changed})`);
}

// The rows that one of upstream's own seeders would insert.
async function seeded(name) {
  const file = path.join(process.cwd(), 'seeders', name);
  if (!fs.existsSync(file)) return [];
  let found = [];
  await require(file).up({ bulkInsert: async (_table, list) => { found = list; } }, here('sequelize'));
  return found.map(({ createdAt, updatedAt, ...row }) => row);
}

// A workshop's wod.yml, with the types that the table wants.
const columns = ['name', 'description', 'active', 'capacity', 'priority', 'range', 'reset', 'ldap', 'avatar', 'role',
  'replayLink', 'compile', 'varpass', 'replayId', 'workshopImg', 'badgeImg', 'monoappliance', 'multiappliance', 'beta',
  'category', 'duration', 'presenter'];
// Rows without these would not be readable for the API.
const defaults = { reset: false, ldap: false, varpass: false, monoappliance: false, multiappliance: false, beta: false };

function numbers(range) {
  const found = String(range).match(/\d+/g);
  return found && found.length > 1 ? [Number(found[0]), Number(found[found.length - 1])] : null;
}

function workshop(file) {
  // YAML::Tiny, which upstream reads these files with, lets a tab follow the colon.
  const text = fs.readFileSync(file, 'utf8').replace(/^(\w+:)[ \t]+/gm, '$1 ');
  const meta = yaml.safeLoad(text, { filename: file });
  const row = { ...defaults };
  for (const name of columns) if (name in meta) row[name] = meta[name];
  row.active = row.active === true;
  if ('range' in row) row.range = numbers(row.range);
  if ('compile' in row) row.compile = row.compile === false ? 'false' : String(row.compile);
  for (const name of ['capacity', 'priority', 'replayId', 'duration'])
    if (name in row) row[name] = Number.isInteger(Number(row[name])) ? Number(row[name]) : null;
  return row;
}

function workshops(folders) {
  const found = new Map();
  for (const folder of folders.filter((folder) => fs.existsSync(folder)))
    for (const notebook of fs.readdirSync(folder).sort()) {
      const file = path.join(folder, notebook, 'wod.yml');
      if (!notebook.startsWith('.') && fs.existsSync(file)) found.set(notebook, file);
    }
  return found;
}

async function provisionWorkshops(names) {
  for (const [notebook, file] of workshops(wanted.workshops)) {
    const { capacity, ...row } = workshop(file);
    const [found] = await rows('SELECT location FROM workshops WHERE notebook = $1', [notebook]);
    // A workshop stays where it is; one whose backend is gone moves to the first.
    const location = found && names.includes(found.location) ? found.location : names[0] ?? null;
    const others = names.filter((name) => name !== location);
    const places = { location, alternateLocation: others.length ? others : [''] };
    // Bookings count capacity down, so it is written once.
    await upsert('workshops', { notebook }, { ...row, ...places }, { capacity, sessionType: 'Workshops-on-Demand' });
  }
}

// A location's first number is part of the number of each of its students, which bookings hold.
async function keepNumbers(locations) {
  for (const { name, basestdid } of locations) {
    const [found] = await rows('SELECT basestdid FROM locations WHERE name = $1', [name]);
    if (!found || found.basestdid === basestdid) continue;
    const [{ bookings }] = await rows(
      'SELECT count(*)::int AS bookings FROM customers c JOIN students s ON s.id = c."studentId" WHERE s.location = $1', [name]);
    if (bookings > 0)
      throw new Error(`${name} counts its students from ${found.basestdid} on in the database, where bookings (${bookings}) hold their `
        + `numbers; with this inventory it would be ${basestdid}. Give the host the wod_backend_number that it had, or all of `
        + 'them the wod_student_stride that they had. No row was changed.');
  }
}

// A location whose numbers a backend has under another name was this backend's: bookings, workshops and
// the row itself go over to the new name.
async function renameLocations(locations) {
  for (const { name, basestdid } of locations) {
    const [taken] = await rows('SELECT id FROM locations WHERE name = $1', [name]);
    const [old] = await rows('SELECT id, name FROM locations WHERE basestdid = $1 ORDER BY id LIMIT 1', [basestdid]);
    if (taken || !old || locations.some((other) => other.name === old.name)) continue;
    await rows('UPDATE locations SET name = $1, "updatedAt" = now() WHERE id = $2', [name, old.id]);
    for (const table of ['customers', 'workshops'])
      await rows(`UPDATE ${table} SET location = $1 WHERE location = $2`, [name, old.name]);
    console.log(`locations: ${old.name} is ${name} now`);
  }
}

async function provisionStudents() {
  const existing = new Map((await rows('SELECT id, username, location, url FROM students')).map((row) => [row.id, row]));
  const now = new Date().toISOString();
  const missing = [];
  for (const { name, port, proto, basestdid, last } of wanted.locations)
    for (let k = wanted.first; k <= last; k += 1) {
      const row = { username: `student${k}`, location: name, url: `${proto}://${name}:${port}/user/student${k}/lab?` };
      const found = existing.get(basestdid + k);
      if (!found) missing.push({ id: basestdid + k, ...row });
      else if (Object.keys(row).some((column) => found[column] !== row[column]))
        await upsert('students', { id: basestdid + k }, row);
    }
  for (const row of missing)
    await rows(
      'INSERT INTO students (id, username, location, url, password, assigned, "createdAt", "updatedAt") VALUES ($1, $2, $3, $4, $5, false, $6, $6)',
      [row.id, row.username, row.location, row.url, 'MyNewPassword', now]
    );
  if (missing.length) console.log(`students: added ${missing.length}, ${missing[0].id} to ${missing[missing.length - 1].id}`);
  // Rows that the API itself would add must not collide with these.
  await rows(`SELECT setval(pg_get_serial_sequence('students', 'id'), GREATEST((SELECT MAX(id) FROM students), 1))`);
}

async function provisionUsers() {
  for (const row of await seeded('04-roles.js')) await upsert('roles', { name: row.name }, {});
  for (const { username, password, roles } of wanted.users) {
    await upsert('users', { username }, {}, { email: 'dummy', password: '' });
    const [set] = await rows(
      `UPDATE users SET password = crypt($1, gen_salt('bf')), "updatedAt" = now()
       WHERE username = $2 AND (password IS NULL OR password = '' OR password <> crypt($1, password)) RETURNING id`,
      [password, username]
    );
    if (set) console.log(`users: set the password of ${username}`);
    for (const role of roles) {
      const [ids] = await rows('SELECT u.id AS user, r.id AS role FROM users u, roles r WHERE u.username = $1 AND r.name = $2', [username, role]);
      await upsert('user_roles', { roleId: ids.role, userId: ids.user }, {});
    }
  }
}

async function main() {
  // Makes the tables that no migration makes (user_roles), as the API does when it starts.
  await sequelize.sync();
  const [extension] = await rows(`SELECT 1 AS one FROM pg_extension WHERE extname = 'pgcrypto'`);
  if (!extension) {
    await rows('CREATE EXTENSION pgcrypto');
    console.log('database: added the extension pgcrypto');
  }
  await keepNumbers(wanted.locations);
  await renameLocations(wanted.locations);
  for (const { last, ...row } of wanted.locations) await upsert('locations', { name: row.name }, row);
  await provisionWorkshops(wanted.locations.map(({ name }) => name));
  await provisionStudents();
  for (const { id, ...row } of await seeded('05-special_badges.js')) await upsert('special_badges', { id }, row);
  await provisionUsers();
  await sequelize.close();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
