// The program is the last argument and is written for Node.js as it is: nothing to translate.
'use strict';

require(require('path').resolve(process.argv[process.argv.length - 1]));
