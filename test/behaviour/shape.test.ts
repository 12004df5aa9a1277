import {
  AfterLoad,
  Column,
  CreateDateColumn,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  Unique,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm'
import { withGetOrCreate } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { type Kind, kind, testSameShape } from '../same-shape.js'

class Money {
  constructor(readonly cents: number) {}
}

class Address {
  @Column({ type: 'varchar', length: 40, nullable: true })
  street!: string | null

  @Column({ length: 40, default: 'Berlin' })
  city!: string
}

class Contact {
  @Column({ length: 40 })
  mail!: string

  @Column(() => Address)
  address!: Address
}

/** The database stores less than it is given. */
const lowerCase = { to: (value?: string) => value?.toLowerCase(), from: (value: string) => value }
const asMoney = { to: (value?: Money) => value?.cents, from: (value: number | null) => value && new Money(value) }

@Entity()
class Sample {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({ type: 'bigint', default: 7 })
  big!: string

  @Column({ type: 'decimal', precision: 10, scale: 2, nullable: true })
  price!: string | null

  @Column({ type: 'float', nullable: true })
  ratio!: number | null

  @Column({ type: 'boolean', default: true })
  active!: boolean

  @Column({ type: 'simple-enum', enum: ['draft', 'open', 'shut'], default: 'draft' })
  state!: 'draft' | 'open' | 'shut'

  @Column({ type: 'simple-json', nullable: true })
  settings!: { theme: string } | null

  @Column({ type: 'json', nullable: true })
  data!: { list: number[]; none: null } | null

  @Column({ type: 'simple-array', nullable: true })
  words!: string[] | null

  @Column({ type: 'date', nullable: true })
  day!: string | null

  @Column({ type: Date, precision: 3, nullable: true })
  at!: Date | null

  @Column({ type: 'varchar', length: 40, nullable: true, transformer: lowerCase })
  nick!: string | null

  @Column({ type: 'int', nullable: true, transformer: asMoney })
  cost!: Money | null

  @Column({ length: 40, default: 'hidden', select: false })
  secret!: string

  @Column({ name: 'other_name', type: 'varchar', length: 40, nullable: true })
  renamed!: string | null

  @Column(() => Contact)
  contact!: Contact

  @CreateDateColumn()
  createdAt!: Date

  @UpdateDateColumn()
  updatedAt!: Date

  @VersionColumn()
  version!: number

  /** No column: counts how often `afterLoad` ran. */
  loads?: number

  @AfterLoad()
  loaded() {
    this.loads = (this.loads ?? 0) + 1
  }
}

/** The unique key is inside an embedded object. */
@Entity()
@Unique(['contact.mail'])
class Person {
  @PrimaryGeneratedColumn()
  id!: number

  @Column(() => Contact)
  contact!: Contact
}

@Entity()
class Bag {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({ type: 'int', array: true, default: [] })
  numbers!: number[]

  @Column({ type: 'text', array: true, nullable: true })
  texts!: string[] | null
}

@Entity()
class Document {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({ type: 'jsonb', default: {} })
  body!: object
}

/** A key that the database changes on its way in. */
@Entity()
class Login {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40, transformer: lowerCase })
  name!: string
}

@Entity()
class Shelf {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @OneToMany(
    () => Item,
    (item) => item.shelf,
  )
  items!: Item[]
}

@Entity()
class Label {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  loads?: number

  @AfterLoad()
  loaded() {
    this.loads = (this.loads ?? 0) + 1
  }
}

@Entity()
@Unique(['shelf', 'name'])
class Item {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 40 })
  name!: string

  @ManyToOne(
    () => Shelf,
    (shelf) => shelf.items,
  )
  shelf!: Shelf

  @ManyToMany(() => Label, { eager: true, cascade: true })
  @JoinTable()
  labels!: Label[]
}

const all = [
  Sample,
  Person,
  Login,
  Shelf,
  Label,
  Item,
  ...(database.hasArrays ? [Bag] : []),
  ...(database.hasJsonb ? [Document] : []),
]

const contact = { mail: 'a@x', address: { street: null, city: 'Paris' } }

const kinds: Kind[] = [
  kind('only what is required', Sample, (n) => ({
    criteria: { code: `${n}` },
    defaults: { contact: { mail: 'a@x' } },
  })),
  kind('every column', Sample, (n) => ({
    criteria: { code: `${n}` },
    defaults: {
      big: '9007199254740993',
      price: '12.30',
      ratio: 0.5,
      active: false,
      state: 'open' as const,
      settings: { theme: 'dark' },
      data: { list: [1, 2], none: null },
      words: ['a', 'b'],
      day: '2020-02-29',
      at: new Date('2021-03-04T05:06:07.089Z'),
      nick: 'MiXeD',
      cost: new Money(99),
      secret: 'told',
      renamed: 'x',
      contact: { mail: 'a@x', address: { street: 'Main' } },
    },
  })),
  kind('columns set to null', Sample, (n) => ({
    criteria: { code: `${n}` },
    defaults: { price: null, settings: null, words: null, at: null, nick: null, cost: null, contact },
  })),
  kind('a key inside an embedded object', Person, (n) => ({ criteria: { contact: { mail: `${n}@x` } } })),
  kind('a key that a transformer changes', Login, (n) => ({ criteria: { name: `MiXeD ${n}` } })),
  kind('an eager many-to-many relation that is empty', Item, async (n, manager) => ({
    criteria: { name: `${n}`, shelf: { id: (await manager.save(Shelf, { name: `shelf ${n}` })).id } },
  })),
  kind('a requested relation, and its own', Item, async (n, manager) => ({
    criteria: { name: `${n}`, shelf: { id: (await manager.save(Shelf, { name: `shelf ${n}` })).id } },
    options: { relations: { shelf: { items: true } } },
  })),
  ...(database.hasArrays
    ? [
        kind('arrays, by default', Bag, (n) => ({ criteria: { code: `${n}` } })),
        kind('arrays, given', Bag, (n) => ({
          criteria: { code: `${n}` },
          defaults: { numbers: [1, 2], texts: ['a,"b"', '{c}'] },
        })),
      ]
    : []),
  ...(database.hasJsonb
    ? [kind('jsonb', Document, (n) => ({ criteria: { code: `${n}` }, defaults: { body: { b: [1], a: { c: null } } } }))]
    : []),
]

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase(all)
})
afterAll(() => db.close())

testSameShape(kinds, () => db)

const samples = () => withGetOrCreate(db.dataSource.getRepository(Sample))

describe('the created entity', () => {
  test('is an instance of its class, embedded objects included', async () => {
    const [sample] = await samples().getOrCreate({ code: 'class' }, { contact: { mail: 'a@x' } })

    expect(sample).toBeInstanceOf(Sample)
    expect(sample.contact).toBeInstanceOf(Contact)
    expect(sample.contact.address).toBeInstanceOf(Address)
  })

  test('has generated, default and date columns filled in, and null where nothing was given', async () => {
    const [sample] = await samples().getOrCreate({ code: 'filled' }, { contact: { mail: 'a@x' } })

    expect(sample).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      active: true,
      state: 'draft',
      version: 1,
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
      price: null,
      settings: null,
      at: null,
      nick: null,
      contact: { mail: 'a@x', address: { street: null, city: 'Berlin' } },
    })
  })

  test('shows the value that is stored, not the one that was given to a lossy transformer', async () => {
    const [sample] = await samples().getOrCreate(
      { code: 'lossy' },
      { nick: 'MiXeD', cost: new Money(5), contact: { mail: 'a@x' } },
    )

    expect(sample.nick).toBe('mixed')
    expect(sample.cost).toEqual(new Money(5))
  })

  test('went through afterLoad once, whoever created it', async () => {
    const create = () => samples().getOrCreate({ code: 'loaded' }, { contact: { mail: 'a@x' } })
    const [created] = await create()
    const [found] = await create()

    expect([created.loads, found.loads]).toEqual([1, 1])
  })

  test('leaves out columns that a read leaves out', async () => {
    const [sample] = await samples().getOrCreate({ code: 'select' }, { secret: 'told', contact: { mail: 'a@x' } })

    expect(sample).not.toHaveProperty('secret')
    const stored = await db.dataSource
      .getRepository(Sample)
      .findOneOrFail({ where: { code: 'select' }, select: { secret: true } })
    expect(stored.secret).toBe('told')
  })

  test('leaves out the relation of the criteria, and has it when it is asked for', async () => {
    const items = withGetOrCreate(db.dataSource.getRepository(Item))
    const shelf = await db.dataSource.manager.save(Shelf, { name: 'of the criteria' })
    const [without] = await items.getOrCreate({ name: 'without', shelf })
    const [having] = await items.getOrCreate({ name: 'with', shelf }, {}, { relations: { shelf: true } })

    expect(without).not.toHaveProperty('shelf')
    expect(having.shelf).toStrictEqual(await db.dataSource.getRepository(Shelf).findOneByOrFail({ id: shelf.id }))
  })

  test('has its eager relations, each loaded once', async () => {
    const items = withGetOrCreate(db.dataSource.getRepository(Item))
    const shelf = await db.dataSource.manager.save(Shelf, { name: 'eager' })
    const [item] = await items.getOrCreate({ name: 'eager', shelf }, { labels: [{ name: 'red' }] })

    expect(item.labels).toHaveLength(1)
    expect(item.labels[0]).toBeInstanceOf(Label)
    expect(item.labels[0]).toMatchObject({ name: 'red', loads: 1 })
  })

  test('does not share objects with what the caller gave', async () => {
    const settings = { theme: 'dark' }
    const [sample] = await samples().getOrCreate({ code: 'shared' }, { settings, contact: { mail: 'a@x' } })
    settings.theme = 'light'

    expect(sample.settings).toEqual({ theme: 'dark' })
  })
})
