import { Column, Entity, EntitySchema, PrimaryGeneratedColumn } from 'typeorm'
import { getOrCreateMixin, InvalidCriteriaError, InvalidValuesError } from '../../src/index.js'
import { isSupported } from '../column-types.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Team, User } from '../entities.js'
import { expectRefusal, failureOf } from '../failures.js'

/** Values that stand for none are what this file is about, so nothing here is typed. */
type Untyped = Record<
  'getOrCreate' | 'getOrCreateMany' | 'updateOrCreate',
  (...args: unknown[]) => Promise<[object, boolean]>
>

class Window {
  @Column({ type: Date, nullable: true })
  from!: Date | null

  @Column({ type: Number, nullable: true })
  length!: number | null
}

@Entity()
class Measure {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({ type: Date, nullable: true })
  at!: Date | null

  @Column({ type: Number, nullable: true })
  level!: number | null

  @Column(() => Window)
  window!: Window

  @Column({
    type: 'int',
    nullable: true,
    transformer: {
      to: (value: number) => (Number.isFinite(value) ? value : -1),
      from: (value: number) => (value === -1 ? Number.NaN : value),
    },
  })
  gap!: number | null
}

let db: OpenDatabase
const at = new Date('2021-03-04T05:06:07.000Z')

beforeAll(async () => {
  db = await openDatabase([...entities, Measure])
  await db.dataSource.manager.insert(Measure, { code: 'there', at, level: 1, window: { from: at, length: 1 } })
})
afterEach(async () => {
  const { at: kept, level, window } = await db.dataSource.manager.findOneByOrFail(Measure, { code: 'there' })
  expect({ at: kept, level, window: { ...window } }).toEqual({ at, level: 1, window: { from: at, length: 1 } })
})
afterAll(() => db.close())

const using = (entity: new () => object) =>
  db.dataSource.getRepository(entity).extend(getOrCreateMixin()) as unknown as Untyped

const measures = () => using(Measure)
const invalidDate = new Date('never')

const noValues: [what: string, values: object, says: string][] = [
  ['an invalid Date', { at: invalidDate }, '.at is an invalid Date: give a valid Date.'],
  ['NaN', { level: Number.NaN }, '.level is NaN: give a number.'],
  ['Infinity for an integer', { level: Infinity }, '.level is Infinity: level is an integer column; give an integer.'],
  ['-Infinity for an integer', { level: -Infinity }, '.level is -Infinity: level is an integer column'],
  ['NaN for text', { code: Number.NaN }, '.code is NaN: give a number.'],
  ['an embedded invalid Date', { window: { from: invalidDate } }, '.window.from is an invalid Date: '],
  ['an embedded NaN', { window: { length: Number.NaN } }, '.window.length is NaN: '],
]

describe.each(noValues)('%s', (_what, values, says) => {
  const refused = (call: () => Promise<unknown>, label: string) =>
    expectRefusal(db.statements, call, { error: InvalidValuesError, says: [`${label}${says}`] })
  const refusedWhenMade = async (call: () => Promise<unknown>, label: string) => {
    const failure = await failureOf(call())
    expect(failure).toBeInstanceOf(InvalidValuesError)
    expect(failure.message).toContain(`${label}${says}`)
    expect(await db.dataSource.manager.count(Measure)).toBe(1)
  }

  test('is refused in defaults', () => refused(() => measures().getOrCreate({ code: 'a' }, values), 'defaults'))

  test('is refused in updates', () => refused(() => measures().updateOrCreate({ code: 'there' }, values), 'updates'))

  test('is refused in createDefaults', () =>
    refused(
      () => measures().updateOrCreate({ code: 'there' }, {}, { createDefaults: values }),
      'options.createDefaults',
    ))

  test('is refused in the defaults of a list', () =>
    refused(() => measures().getOrCreateMany([{ code: 'a' }, { code: 'b' }], values), 'defaults'))

  test('is refused when defaults make it', () =>
    refusedWhenMade(() => measures().getOrCreate({ code: 'a' }, () => values), 'defaults'))

  test('is refused when updates make it', () =>
    refusedWhenMade(() => measures().updateOrCreate({ code: 'there' }, () => values), 'updates'))

  test('is refused when the defaults of a list make it', () =>
    refusedWhenMade(() => measures().getOrCreateMany([{ code: 'a' }], () => values), 'defaults'))
})

test('NaN is refused as the key of a relation', () =>
  expectRefusal(db.statements, () => using(User).getOrCreate({ email: 'a@x' }, { team: { id: Number.NaN } }), {
    error: InvalidValuesError,
    says: ['defaults.team.id is NaN: give a number.'],
  }))

test('Infinity is refused in criteria for an integer', () =>
  expectRefusal(db.statements, () => using(Team).getOrCreate({ id: Number.POSITIVE_INFINITY }), {
    error: InvalidCriteriaError,
    says: ['criteria.id is Infinity: id is an integer column; give an integer.'],
  }))

test('a transformer may take NaN', async () => {
  const [measure, created] = await measures().getOrCreate({ code: 'gap' }, { gap: Number.NaN })
  expect([measure, created]).toEqual([expect.objectContaining({ gap: Number.NaN }), true])
  await db.dataSource.manager.delete(Measure, { code: 'gap' })
})

const floats = ['float', 'double precision', 'real', 'float4', 'float8'] as const
const own = floats.filter((type) => isSupported({ type }))

test.each(own)('NaN is a value of the type %s where it can be stored', async (type) => {
  const ratios = new EntitySchema({ name: 'Ratio', columns: { id: { type: Number, primary: true }, of: { type } } })
  const opened = await openDatabase([ratios])
  const repository = opened.dataSource.getRepository('Ratio').extend(getOrCreateMixin()) as unknown as Untyped
  const create = (id: number, of: number) => repository.getOrCreate({ id }, { of })
  try {
    if (database.storesNaN) {
      for (const [id, of] of [Number.NaN, Number.POSITIVE_INFINITY].entries()) {
        expect(await create(id, of)).toEqual([{ id, of }, true])
      }
    } else {
      const says = ['defaults.of is NaN: give a number.']
      await expectRefusal(opened.statements, () => create(1, Number.NaN), { error: InvalidValuesError, says })
    }
  } finally {
    await opened.close()
  }
})
