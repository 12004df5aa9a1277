import { EntitySchema, type EntitySchemaColumnOptions, type ObjectLiteral } from 'typeorm'
import { isUniqueViolation, withGetOrCreate } from '../../src/index.js'
import { types } from '../column-types.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'

/** Stored as another value, which the given one does not equal: SQLite alone keeps what it is given. */
const rounded = database.hasConnections ? ['a date to the second', 'a decimal with more digits'] : []

const schemas = types.map(([what, column]) => schemaOf(what, column))
const all = types.map(([what, , value], index): [string, EntitySchema, unknown] => [
  what,
  schemas[index] as EntitySchema,
  value,
])

function schemaOf(what: string, value: EntitySchemaColumnOptions): EntitySchema {
  const id = { type: Number, primary: true, generated: true } as const
  return new EntitySchema<ObjectLiteral>({
    name: `By ${what}`,
    columns: { id, value: { ...value, unique: true }, hits: { type: Number, default: 0 } },
  })
}

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase(schemas)
})
afterAll(() => db.close())

const rowsOf = (schema: EntitySchema) => withGetOrCreate(db.dataSource.getRepository<ObjectLiteral>(schema))

test.each(all.filter(([what]) => !rounded.includes(what)))(
  '%s is a key that every method finds again',
  async (...row) => {
    const [, schema, value] = row
    const rows = rowsOf(schema)
    const [{ id }, created] = await rows.getOrCreate({ value })
    const [found, createdAgain] = await rows.getOrCreate({ value })
    const [updated] = await rows.updateOrCreate({ value }, { hits: 1 })
    const many = await rows.getOrCreateMany([{ value }, { value }])

    expect([created, createdAgain, many.map(([, isCreated]) => isCreated)]).toEqual([true, false, [false, false]])
    expect([found.id, updated.id, ...many.map(([one]) => one.id)]).toEqual([id, id, id, id])
    expect(await rows.count()).toBe(1)
  },
)

if (rounded.length > 0) {
  test.each(all.filter(([what]) => rounded.includes(what)))(
    '%s is a key that the database rounds: it is not found again, which is told as the conflict that it is',
    async (...row) => {
      const [, schema, value] = row
      const rows = rowsOf(schema)
      await rows.getOrCreate({ value })

      expect(isUniqueViolation(await failureOf(rows.getOrCreate({ value })))).toBe(true)
      expect(await rows.count()).toBe(1)
    },
  )
}
