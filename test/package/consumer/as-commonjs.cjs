const use = require('./use.cjs')

use(require('typeorm'), require('typeorm-get-or-create')).then((seen) => console.log(JSON.stringify(seen)))
