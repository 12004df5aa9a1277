import type { Dialect, DriverError } from './dialect.js'
import { mysql } from './mysql.js'
import { postgres } from './postgres.js'

/**
 * Aurora through the RDS Data API, whose errors carry the database's code only inside the message:
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
 */
const numberIn = (error: DriverError) => /(?:Database error code|Error code): (\d+)/i.exec(error.message)?.[1]
const sqlStateIn = (error: DriverError) => /SQLState: ([0-9A-Z]{5})/.exec(error.message)?.[1]

export const auroraMysql: Dialect = {
  ...mysql,
  recognises: (error) => numberIn(error) !== undefined,
  codeOf: (error) => Number(numberIn(error)),
  insertedRow: () => 'typeorm',
}

export const auroraPostgres: Dialect = {
  ...postgres,
  recognises: (error) => numberIn(error) === undefined && sqlStateIn(error) !== undefined,
  codeOf: sqlStateIn,
  describeUniqueViolation: (error) => {
    const constraint = /violates unique constraint "([^"]+)"/.exec(error.message)?.[1]
    return constraint === undefined ? {} : { constraint }
  },
}
