import { AfterLoad, Column, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn } from 'typeorm'
import { withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'

@Entity()
class Basket {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({ default: 0 })
  weight!: number

  @OneToMany(
    () => Fruit,
    (fruit) => fruit.basket,
    { eager: true, cascade: true },
  )
  fruits!: Fruit[]

  /** Private to the class: only its constructor makes it. */
  readonly #heavier = 1

  @AfterLoad()
  leadBack() {
    for (const fruit of this.fruits) fruit.basket = this
  }

  heavier(): number {
    return this.weight + this.#heavier
  }
}

@Entity()
class Fruit {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @ManyToOne(
    () => Basket,
    (basket) => basket.fruits,
  )
  basket!: Basket
}

@Entity()
class Label {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  text!: string

  @ManyToOne(() => Basket)
  basket!: Basket
}

/** Its columns are accessors of the class. */
@Entity()
class Secretive {
  #id = 0
  #code = ''

  @PrimaryGeneratedColumn()
  get id(): number {
    return this.#id
  }
  set id(id: number) {
    this.#id = id
  }

  @Column({ unique: true, length: 40 })
  get code(): string {
    return this.#code
  }
  set code(code: string) {
    this.#code = code.toLowerCase()
  }

  @Column({ default: 0 })
  weight!: number

  @OneToMany(
    () => Ribbon,
    (ribbon) => ribbon.of,
  )
  ribbons!: Ribbon[]
}

@Entity()
class Ribbon {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  text!: string

  @ManyToOne(
    () => Secretive,
    (secretive) => secretive.ribbons,
  )
  of!: Secretive
}

const CANNOT_STORE = new Error('what was read is not stored again')

@Entity()
class Seal {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({
    type: 'varchar',
    length: 40,
    transformer: {
      to(value: string | object) {
        if (typeof value === 'object') throw CANNOT_STORE
        return value
      },
      from: (stored: string) => ({ stored }),
    },
  })
  value!: unknown
}

let db: OpenDatabase
let basket: Basket

beforeAll(async () => {
  db = await openDatabase([Basket, Fruit, Label, Secretive, Ribbon, Seal])
  await baskets().save({ code: 'a', fruits: [{ name: 'apple' }, { name: 'pear' }] })
  basket = await baskets().findOneByOrFail({ code: 'a' })
})
afterAll(() => db.close())

const baskets = (options = {}) => withGetOrCreate(db.dataSource.getRepository(Basket), options)
const labels = () => withGetOrCreate(db.dataSource.getRepository(Label))

describe('an entity whose relations lead back to it, with private fields', () => {
  test('is there for each of those who share a batch', async () => {
    const batched = baskets({ batch: true })
    const results = await Promise.all(Array.from({ length: 3 }, () => batched.getOrCreate({ code: 'a' })))

    for (const [one] of results) {
      expect(one).toEqual(basket)
      expect(one.fruits.map((fruit) => fruit.basket === one)).toEqual([true, true])
      expect(one.heavier()).toBe(one.weight + 1)
    }
    expect(new Set(results.map(([one]) => one)).size).toBe(3)
    expect(new Set(results.flatMap(([{ fruits }]) => fruits)).size).toBe(6)
  })

  test('is updated from its own values', async () => {
    const [updated] = await baskets().updateOrCreate({ code: 'a' }, (current) => ({ weight: current.heavier() }))
    expect(updated.weight).toBe(basket.weight + 1)
    expect(updated.fruits).toHaveLength(2)
  })

  test('is a value of a new row, as it is with insert', async () => {
    const [label, created] = await labels().getOrCreate({ text: 'of a' }, { basket }, { relations: { basket: true } })
    expect([label.basket.id, created]).toEqual([basket.id, true])
    expect(await labels().getOrCreateMany([{ text: 'b' }, { text: 'c' }], { basket })).toHaveLength(2)
    expect((await labels().getOrBuild({ text: 'd' }, { basket }))[0].basket.id).toBe(basket.id)
    const frozen = Object.freeze(await baskets().findOneByOrFail({ code: 'a' })) as Basket
    expect((await labels().getOrCreate({ text: 'e' }, { basket: frozen }))[1]).toBe(true)
  })

  test('is a value of a row that is updated', async () => {
    await labels().getOrCreate({ text: 'later' })
    const [label] = await labels().updateOrCreate({ text: 'later' }, { basket }, { relations: { basket: true } })
    expect(label.basket.id).toBe(basket.id)
  })
})

describe('an entity whose columns are accessors', () => {
  const secretives = (options = {}) => withGetOrCreate(db.dataSource.getRepository(Secretive), options)
  const ribbons = () => withGetOrCreate(db.dataSource.getRepository(Ribbon))
  let loaded: Secretive

  beforeAll(async () => {
    await db.dataSource.getRepository(Secretive).insert({ code: 's' })
    loaded = await secretives().findOneByOrFail({ code: 's' })
  })

  test('is there for each of those who share a batch', async () => {
    const batched = secretives({ batch: true })
    const results = await Promise.all([1, 2].map(() => batched.getOrCreate({ code: 's' })))
    expect(results.map(([{ id, code }]) => [id, code])).toEqual([1, 2].map(() => [loaded.id, 's']))
  })

  test('is updated from its own values', async () => {
    const [updated] = await secretives().updateOrCreate({ code: 's' }, ({ id }) => ({ weight: id + 1 }))
    expect((await secretives().findOneByOrFail({ code: 's' })).weight).toBe(loaded.id + 1)
    expect(updated.weight).toBe(loaded.id + 1)
  })

  test.each<[string, () => Promise<Secretive>]>([
    ['as it was loaded', async () => loaded],
    ['frozen', async () => Object.freeze(await secretives().findOneByOrFail({ code: 's' })) as Secretive],
    ['with ids of its relations', () => secretives().findOneOrFail({ where: { code: 's' }, loadRelationIds: true })],
  ])('is a value of a new row, %s', async (form, entity) => {
    await ribbons().getOrCreate({ text: `first ${form}` }, { of: loaded })
    await ribbons().getOrCreate({ text: form }, { of: await entity() })
    const { of } = await ribbons().findOneOrFail({ where: { text: form }, relations: { of: true } })
    expect(of.code).toBe('s')
  })
})

test('who shares a batch gets an error where the row cannot be copied', async () => {
  const batched = withGetOrCreate(db.dataSource.getRepository(Seal), { batch: true })
  const calls = [1, 2].map(() => batched.getOrCreate({ code: 'a' }, { value: 'v' }))
  await expect(calls[0]).resolves.toMatchObject([{ value: { stored: 'v' } }, true])
  await expect(calls[1]).rejects.toBe(CANNOT_STORE)
})
