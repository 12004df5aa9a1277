import * as typeorm from 'typeorm'
import * as loaded from 'typeorm-get-or-create'
import use from './use.cjs'

console.log(JSON.stringify(await use(typeorm, loaded)))
