import type { RowsFromLists } from './dialects/dialect.js'
import type { ColumnMetadata, Driver } from './typeorm.js'

/** The text and the parameters of an INSERT of several rows, of which each list has the values for one parameter. */
export type RowsWriter = (rows: number, lists: readonly unknown[][]) => { sql: string; parameters: unknown[] }

/** The INSERT of one row, cut around its values. */
interface RowText {
  readonly before: string
  /** What stands before, between and after the parameters. */
  readonly parts: readonly string[]
  readonly after: string
}

/** Repeats the values of an INSERT of one row. `undefined` where its text is not of the form that is known. */
export function tuplesWriter(driver: Driver, sql: string, parameters: number): RowsWriter | undefined {
  const row = cut(driver, sql, parameters)
  if (!row) return undefined
  const tuple = (nth: number) =>
    row.parts.reduce((text, part, at) => text + driver.createParameter('', nth * parameters + at - 1) + part)
  return (rows, lists) => {
    const tuples: string[] = []
    const values: unknown[] = []
    for (let nth = 0; nth < rows; nth++) {
      tuples.push(`(${tuple(nth)})`)
      for (const list of lists) values.push(list[nth])
    }
    return { sql: `${row.before}${tuples.join(', ')}${row.after}`, parameters: values }
  }
}

function cut(driver: Driver, sql: string, parameters: number): RowText | undefined {
  const start = sql.indexOf(' VALUES (') + ' VALUES ('.length
  const end = sql.lastIndexOf(')')
  const parts: string[] = []
  let at = start
  for (let nth = 0; nth < parameters; nth++) {
    const parameter = driver.createParameter('', nth)
    const next = sql.indexOf(parameter, at)
    if (next < 0 || next > end) return undefined
    parts.push(sql.slice(at, next))
    at = next + parameter.length
  }
  parts.push(sql.slice(at, end))
  return { before: sql.slice(0, start - 1), parts, after: sql.slice(end + 1) }
}

/**
 * Gives the rows as one list a column, which a server reads faster than thousands of parameters; and a value that all of
 * them have, such as a default, once.
 *
 * @param sql The INSERT of one row in these columns alone.
 * @param rowsFromLists Writes the SELECT that makes rows of the lists.
 */
export function listsWriter(
  driver: Driver,
  sql: string,
  columns: readonly ColumnMetadata[],
  rowsFromLists: RowsFromLists,
): RowsWriter | undefined {
  const names = columns.map((column) => driver.escape(column.databaseName)).join(', ')
  const values = `VALUES (${columns.map((_, at) => driver.createParameter('', at)).join(', ')})`
  const [before, after, ...others] = sql.split(`(${names}) ${values}`)
  if (before === undefined || after === undefined || others.length > 0) return undefined
  return (_, lists) => {
    const isList = lists.map(([first], at) => at === 0 || (lists[at] as unknown[]).some((value) => value !== first))
    return {
      sql: `${before}(${names}) ${rowsFromLists(isList)}${after}`,
      parameters: lists.map((list, at) => (isList[at] ? list : list[0])),
    }
  }
}

/** Does the INSERT of one row leave every column that it gives no value for to its default? */
export function givesDefaultsElsewhere(driver: Driver, sql: string, parameters: number): boolean {
  const texts = cut(driver, sql, parameters)?.parts.join('').split(', ')
  return texts?.every((text) => text === '' || text === 'DEFAULT') ?? false
}
