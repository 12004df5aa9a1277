import type { Dialect, DriverError } from './dialect.js'
import { describeKey, mysql } from './mysql.js'
import { postgres } from './postgres.js'

/**
 * Aurora through the RDS Data API, whose errors carry the database's code only inside the message:
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
 */
const numberIn = (error: DriverError) =>
  inMessage(error, /^Database error code: (\d+)|; Error code: (\d+); SQLState: \w{5}$/)
const sqlStateIn = (error: DriverError) => inMessage(error, /; SQLState: ([0-9A-Z]{5})$/)

/** The Data API has names of its own for a failed statement; a message of someone else that mentions a code is none. */
function inMessage({ name, code, message }: DriverError, pattern: RegExp): string | undefined {
  const isOfDataApi = [name, code].some((mark) => mark === 'BadRequestException' || mark === 'DatabaseErrorException')
  return isOfDataApi ? pattern.exec(message)?.slice(1).find(Boolean) : undefined
}

// A parameter of the Data API is one value, not a list.
const { comparesWithList: _, ...mysqlOverDataApi } = mysql

export const auroraMysql: Dialect = {
  ...mysqlOverDataApi,
  recognises: (error) => numberIn(error) !== undefined,
  codeOf: (error) => Number(numberIn(error)),
  describeUniqueViolation: (error) => describeKey(Number(numberIn(error)), error.message),
  insertedRow: () => 'typeorm',
}

const { queryNamed, comparesWithList, rowsFromLists, ...postgresOverDataApi } = postgres

export const auroraPostgres: Dialect = {
  ...postgresOverDataApi,
  recognises: (error) => numberIn(error) === undefined && sqlStateIn(error) !== undefined,
  codeOf: sqlStateIn,
  describeUniqueViolation: (error) => {
    const constraint = /violates unique constraint "([^"]+)"/.exec(error.message)?.[1]
    return constraint === undefined ? {} : { constraint }
  },
}
