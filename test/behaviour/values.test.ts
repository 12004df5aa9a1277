import { EntitySchema, type EntitySchemaColumnOptions, type ObjectLiteral, type QueryFailedError } from 'typeorm'
import { type GetOrCreateRepository, withGetOrCreate } from '../../src/index.js'
import { types } from '../column-types.js'
import { type OpenDatabase, openDatabase } from '../databases.js'

const text: EntitySchemaColumnOptions = { type: String, length: 8 }
const whole: EntitySchemaColumnOptions = { type: 'int' }
const exclaiming = {
  to: (value: unknown) => (typeof value === 'string' ? `${value}!` : value),
  from: (value: unknown) => (typeof value === 'string' ? value.slice(0, -1) : value),
}

const columns: [what: string, column: EntitySchemaColumnOptions, value: unknown][] = [
  ...types,
  ['a text that is too long', text, 'nine char'],
  ['an empty text', text, ''],
  ['a text that means nothing', text, 'NULL'],
  ['quotes', text, `'"\`$$`],
  ['a list in another notation', text, '{a,"b"}'],
  ['backslashes', text, '\\n\\'],
  ['a text with a line break', text, 'a\nb'],
  ['a question and a parameter', text, '? $1 :a'],
  ['NULL', { ...text, nullable: true }, null],
  ['a default of the database', { ...text, default: 'a, (b)?' }, undefined],
  ['a transformed text', { ...text, transformer: exclaiming }, 'hey'],
  ['a list kept as text', { type: 'simple-array' }, ['a', 'b']],
  ['an object kept as text', { type: 'simple-json' }, { a: [1, 'b'] }],
  ['a number', whole, 7],
  ['a number as text', whole, '7'],
  ['no number', whole, 'seven'],
  ['a fraction', { type: 'float' }, 0.5],
  ['a truth', { type: Boolean }, true],
  ['an untruth', { type: Boolean }, false],
  ['a version', { type: 'int', version: true }, undefined],
  ['a day', { type: 'date' }, '2021-03-04'],
]

const all = columns.map(([what, column, value]): [string, EntitySchema<ObjectLiteral>, unknown] => [
  what,
  new EntitySchema<ObjectLiteral>({
    name: `With ${what}`,
    columns: {
      id: { type: Number, primary: true, generated: true },
      code: { type: String, length: 20, unique: true },
      value: column,
    },
  }),
  value,
])

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase(all.map(([, schema]) => schema))
})
afterAll(() => db.close())

/** What is stored under the codes in the end, or the database's reason why nothing is. */
async function outcome(rows: GetOrCreateRepository<ObjectLiteral>, codes: string[], store: () => Promise<unknown>) {
  try {
    await store()
  } catch (error) {
    const { code, errno, message } = (error as QueryFailedError).driverError as unknown as Record<string, unknown>
    return {
      code,
      errno,
      message: code ? undefined : message,
      stored: await rows.countBy(codes.map((code) => ({ code }))),
    }
  }
  return Promise.all(codes.map(async (code) => (await rows.findOneByOrFail({ code })).value))
}

test.each(all)('%s is stored as TypeORM stores it, alone and among others', async (...row) => {
  const [, schema, value] = row
  const rows = withGetOrCreate(db.dataSource.getRepository<ObjectLiteral>(schema))
  const one = await outcome(rows, ['inserted'], () => rows.insert({ code: 'inserted', value }))
  const two = await outcome(rows, ['a', 'b'], () =>
    rows.insert([
      { code: 'a', value },
      { code: 'b', value },
    ]),
  )
  for (const code of ['first', 'again']) {
    expect(await outcome(rows, [code], () => rows.getOrCreate({ code }, { value }))).toEqual(one)
  }
  for (const codes of [
    ['c', 'd'],
    ['e', 'f'],
  ]) {
    const criteria = codes.map((code) => ({ code }))
    expect(await outcome(rows, codes, () => rows.getOrCreateMany(criteria, { value }))).toEqual(two)
  }
})
