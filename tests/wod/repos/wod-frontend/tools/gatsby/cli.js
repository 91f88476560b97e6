// develop -H HOST -p PORT: makes the pages that gatsby-node.js asks for, then serves them.
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const pages = new Map();

async function main() {
  const site = require(path.join(process.cwd(), 'gatsby-node.js'));
  await site.createPages({ createPage: ({ path: at, html }) => pages.set(at, html) });
  fs.writeFileSync('.cache/pages', [...pages.keys()].join('\n'));
  http
    .createServer((request, response) => {
      const page = pages.get(request.url.split('?')[0]);
      response.writeHead(page ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(page || 'no such page');
    })
    .listen(Number(option('-p')), option('-H'));
}

main();
