import {
  And,
  Any,
  Between,
  Column,
  Entity,
  EntitySchema,
  Equal,
  In,
  LessThan,
  Like,
  MoreThan,
  Not,
  Or,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Raw,
} from 'typeorm'
import { getOrCreateMixin, InvalidCriteriaError } from '../../src/index.js'
import { isSupported } from '../column-types.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Role, Team, User } from '../entities.js'
import { expectRefusal } from '../failures.js'
import { Badge, Customer, keyEntities, Passport } from '../key-entities.js'

type Target = (new () => object) | string
/** Values of a wrong type are what this file is about, so nothing here is typed. */
type Untyped = Record<
  'getOrCreate' | 'getOrBuild' | 'updateOrCreate' | 'getOrCreateMany',
  (...args: unknown[]) => Promise<[object, boolean]>
>

/** Columns whose values a rule by type alone would refuse. */
@Entity()
class Loose {
  @PrimaryColumn()
  id!: number

  @Column({ default: true })
  isOpen!: boolean

  @Column({
    type: 'varchar',
    length: 40,
    transformer: { to: (value: unknown) => `#${value}`, from: (value: string) => value.slice(1) },
  })
  code!: unknown

  @Column({
    type: 'int',
    transformer: { to: (value: string) => value.length, from: (value: number) => 'x'.repeat(value) },
  })
  bars!: string

  @Column({ type: 'decimal', precision: 10, scale: 2, default: 0 })
  price!: string

  @Column({ type: 'simple-json', nullable: true })
  extra!: unknown
}

@Entity()
class Token {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @Column({ type: 'bigint', default: 0 })
  count!: string
}

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase([...entities, ...keyEntities, Loose, Token])
  const { manager } = db.dataSource
  await manager.insert(Team, [{ name: 'zoe' }, { name: '1abc' }])
  await manager.insert(User, [
    { email: 'zoe', name: 'Zoe' },
    { email: '1abc', name: 'One' },
  ])
  await manager.insert(Loose, { id: 1, code: 7, bars: 'xxx', price: '1.50' })
})
afterAll(() => db.close())

const using = (entity: Target) => db.dataSource.getRepository(entity).extend(getOrCreateMixin()) as unknown as Untyped

const text = 'email is a text column; give a string'
const integer = 'id is an integer column; give an integer'

const refusals: [what: string, entity: Target, criteria: unknown, says: string][] = [
  ['0 for text', User, { email: 0 }, `criteria.email is 0: ${text}.`],
  ['1 for text', User, { email: 1 }, `criteria.email is 1: ${text}.`],
  ['true for text', User, { email: true }, `criteria.email is true: ${text}.`],
  ['a bigint for text', User, { email: 1n }, `criteria.email is 1: ${text}.`],
  ['a number for text of a type', User, { handle: 1 }, 'criteria.handle is 1: handle is a text column'],
  ['a number for text beside another value', User, { id: 1, email: 0 }, `criteria.email is 0: ${text}.`],
  ['a number for text of a schema', 'Setting', { key: 1 }, 'criteria.key is 1: key is a text column; give a string.'],
  ['a number for embedded text', Customer, { contact: { phone: 1 } }, 'criteria.contact.phone is 1: phone is a text'],
  ['a number for a uuid', Token, { id: 1 }, 'criteria.id is 1: id is a uuid column; give a string.'],
  ['words for an integer', User, { id: '1abc' }, `criteria.id is "1abc": ${integer}.`],
  ['no digit for an integer', User, { id: '' }, `criteria.id is "": ${integer}.`],
  ['a fraction as text for an integer', User, { hits: '1.5' }, 'criteria.hits is "1.5": hits is an integer column'],
  ['words for a bigint', Token, { count: 'many' }, 'criteria.count is "many": count is an integer column'],
  ['an alternative', User, [{ id: 1 }, { email: 0 }], `criteria[1].email is 0: ${text}.`],
  ['Equal()', User, { email: Equal(0) }, `criteria.email is 0: ${text}.`],
  ['In()', User, { email: In(['a', 0]) }, `criteria.email is 0: ${text}.`],
  ['Any()', User, { id: Any(['1abc']) }, `criteria.id is "1abc": ${integer}.`],
  ['Not()', User, { id: Not('1abc') }, `criteria.id is "1abc": ${integer}.`],
  ['Not(In())', User, { email: Not(In([0])) }, `criteria.email is 0: ${text}.`],
  ['MoreThan()', User, { id: MoreThan('0x') }, `criteria.id is "0x": ${integer}.`],
  ['Between()', User, { id: Between<unknown>(1, 'b') }, `criteria.id is "b": ${integer}.`],
  ['And()', User, { id: And<unknown>(MoreThan(0), LessThan('b')) }, `criteria.id is "b": ${integer}.`],
  ['Or()', User, { email: Or<unknown>(Equal('a'), Equal(1)) }, `criteria.email is 1: ${text}.`],
  ['the key of a relation', Role, { team: { id: '1abc' }, title: 'x' }, `criteria.team.id is "1abc": ${integer}.`],
  ['the key of a relation by Equal()', Role, { team: { id: Equal('1abc') }, title: 'x' }, 'criteria.team.id is "1abc"'],
  ['the key of a loaded relation', Passport, { holder: { id: '1abc', email: 'x' } }, 'criteria.holder.id is "1abc"'],
  ['a relation by Equal()', Role, { team: Equal('1abc'), title: 'x' }, `criteria.team is "1abc": ${integer}.`],
  ['a relation by In()', Role, { team: In(['1abc']), title: 'x' }, `criteria.team is "1abc": ${integer}.`],
  ['another field of a relation', User, { team: { name: 0 } }, 'criteria.team.name is 0: name is a text column'],
]

test.each(refusals)('%s is refused before any SQL', (_what, entity, criteria, says) =>
  expectRefusal(db.statements, () => using(entity).getOrCreate(criteria, {}, { uniqueness: 'ignore' }), {
    error: InvalidCriteriaError,
    says: [says],
  }),
)

test.each([
  ['text', [{ email: 'a' }, { email: 1 }], `criteria[1].email is 1: ${text}.`],
  ['an integer', [{ id: '5' }, { id: '5b' }], `criteria[1].id is "5b": ${integer}.`],
  ['a relation', [{ team: { id: '5b' } }], `criteria[0].team.id is "5b": ${integer}.`],
])('a list with a value of another kind than %s is refused before any SQL', (_what, list, says) =>
  expectRefusal(db.statements, () => using(User).getOrCreateMany(list, {}, { uniqueness: 'ignore' }), {
    error: InvalidCriteriaError,
    says: [says],
  }),
)

test.each([{ email: 0 }, { email: 1 }, { email: true }, { id: '2abc' }])(
  'updateOrCreate overwrites no row that %p finds by conversion',
  async (criteria) => {
    const update = () => using(User).updateOrCreate(criteria, { name: 'overwritten' })
    await expectRefusal(db.statements, update, { error: InvalidCriteriaError, says: ['criteria.'] })
    expect(await db.dataSource.getRepository(User).countBy({ name: 'overwritten' })).toBe(0)
  },
)

const found: [what: string, entity: Target, criteria: unknown][] = [
  ['digits for an id', User, { id: '2' }],
  ['signed digits', User, { id: '+2' }],
  ['digits by In()', User, { id: In(['2', 3]) }],
  ['a boolean', Loose, { id: 1, isOpen: true }],
  ['a number where a transformer takes it', Loose, { code: 7 }],
  ['words where a transformer takes them', Loose, { bars: 'xxx' }],
  ['a fraction as text for a decimal', Loose, { price: '1.50' }],
  ['a pattern', User, { email: Like('1a%') }],
  ['hand-written SQL', User, { email: Raw((alias) => `LENGTH(${alias}) = :length`, { length: 4 }) }],
]

test.each(found)('%s is taken as it was', async (_what, entity, criteria) => {
  const [, isNew] = await using(entity).getOrBuild(criteria, {}, { uniqueness: 'ignore' })
  expect(isNew).toBe(false)
})

test.each([
  ['negative digits', User, { id: '-5' }],
  ['the largest bigint as text', Token, { count: '9223372036854775807' }],
  ['a bigint', Token, { count: 5n }],
  ['a number where a transformer takes it', Badge, { code: 1 }],
])('%s may be looked up', async (_what, entity, criteria) => {
  const [, isNew] = await using(entity).getOrBuild(criteria, {}, { uniqueness: 'ignore' })
  expect(isNew).toBe(true)
})

/** Types that not every database has. */
const some = [
  ['true for a tinyint', { type: 'tinyint' }, true],
  ['a number for an enum', { type: 'enum', enum: [1, 2] }, 1],
  ['a string for an enum', { type: 'enum', enum: ['open', 'shut'] }, 'open'],
  ['a number for a simple enum', { type: 'simple-enum', enum: [1, 2] }, 1],
] as const

test.each(some.filter(([, column]) => isSupported(column as never)))(
  '%s is stored and found',
  async (what, column, value) => {
    const schema = new EntitySchema({
      name: 'Some',
      columns: { id: { type: Number, primary: true, generated: true }, of: column as never },
    })
    const own = await openDatabase([schema])
    try {
      const rows = own.dataSource.getRepository('Some').extend(getOrCreateMixin()) as unknown as Untyped
      const created: boolean[] = []
      for (let call = 0; call < 2; call++) {
        created.push((await rows.getOrCreate({ of: value }, {}, { uniqueness: 'ignore' }))[1])
      }
      expect([what, ...created]).toEqual([what, true, false])
    } finally {
      await own.close()
    }
  },
)
