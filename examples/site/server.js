// node server.js SETTINGS
//
// Asks the API anew for every page, so the site shows what the database holds now.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const { listen, api, hub } = JSON.parse(await readFile(process.argv[2], 'utf8'));

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (value) => String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);

async function activeWorkshops() {
  const response = await fetch(`${api}/api/workshops?active=true`, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`the API answered ${response.status}`);
  return response.json();
}

const page = (body) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Workshops-on-Demand</title>
<style>
body { font-family: sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; }
li { margin: 1rem 0; }
</style>
</head>
<body>
<h1>Workshops-on-Demand</h1>
${body}
</body>
</html>
`;

const card = ({ title, description, capacity }) =>
  `<li><strong>${escape(title)}</strong> (${escape(capacity)} seats)<br>${escape(description)}</li>`;

async function home() {
  try {
    const workshops = await activeWorkshops();
    const list = workshops.length ? `<ul>\n${workshops.map(card).join('\n')}\n</ul>` : '<p>Nothing is on offer today.</p>';
    return [200, page(`${list}\n<p><a href="${escape(hub)}">Open JupyterHub</a></p>`)];
  } catch (error) {
    console.error(`${api}: ${error.cause?.message ?? error.message}`);
    return [502, page('<p>The list of workshops cannot be shown right now. Please try again in a minute.</p>')];
  }
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://site');
  const [status, body] = pathname === '/' ? await home() : [404, page('<p>There is no such page.</p>')];
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
});

server.listen(listen.port, listen.host, () => {
  console.log(`listening on ${listen.host}:${listen.port}`);
});

process.on('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});
