// Loaded before the API: gives it the secret of this installation in place of the public one
// in its repository, whose files stay as they were checked out.
'use strict';

const fs = require('fs');
const path = require('path');

const config = path.join(process.cwd(), 'config', 'auth.config.js');
if (process.env.WOD_JWT_SECRET_FILE && fs.existsSync(config)) {
  require(config).secret = fs.readFileSync(process.env.WOD_JWT_SECRET_FILE, 'utf8').trim();
}
