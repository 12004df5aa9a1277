import {
  AfterRecover,
  BeforeRecover,
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  type EntitySubscriberInterface,
  EventSubscriber,
  PrimaryGeneratedColumn,
  type RecoverEvent,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm'
import { InvalidOptionsError, isUniqueViolation, withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'
import { surroundings } from '../surroundings.js'

let recovered: string[] = []
/** What happens while `beforeRecover` runs; a test sets it, for once. */
let meanwhile: (() => Promise<unknown>) | undefined

@Entity()
class Account {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @Column({ default: 0 })
  balance!: number

  @DeleteDateColumn()
  deletedAt!: Date | null

  @UpdateDateColumn()
  updatedAt!: Date

  @VersionColumn()
  version!: number

  @BeforeRecover()
  before() {
    recovered.push('BeforeRecover')
  }

  @AfterRecover()
  after() {
    recovered.push('AfterRecover')
  }
}

@EventSubscriber()
class RecoverySubscriber implements EntitySubscriberInterface<Account> {
  listenTo() {
    return Account
  }

  async beforeRecover({ entity }: RecoverEvent<Account>) {
    recovered.push(`beforeRecover ${entity?.name}`)
    const once = meanwhile
    meanwhile = undefined
    await once?.()
  }

  afterRecover({ entity }: RecoverEvent<Account>) {
    recovered.push(`afterRecover ${entity?.name}, deletedAt ${entity?.deletedAt}`)
  }
}

@Entity()
class Plain {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string
}

@Entity()
class Hidden {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @Column({ default: 0 })
  balance!: number

  @DeleteDateColumn({ select: false })
  deletedAt?: Date | null
}

class Stamps {
  @DeleteDateColumn()
  deletedAt!: Date | null
}

@Entity()
class Stamped {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @Column({ default: 0 })
  balance!: number

  @Column(() => Stamps)
  stamps!: Stamps
}

const accountsOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Account))

let db: OpenDatabase
let rival: Rival
let names = 0
let name: string

beforeAll(async () => {
  db = await openDatabase([Account, Plain, Hidden, Stamped], { subscribers: [RecoverySubscriber] })
  rival = await openRival(db)
})
beforeEach(() => {
  recovered = []
  names += 1
  name = `account ${names}`
})
afterAll(() => db.close())

/** A row that was deleted softly, long ago. */
async function deletedAccount(): Promise<Account> {
  const accounts = db.dataSource.getRepository(Account)
  const { id } = await accounts.save({ name, balance: 5 })
  const long = new Date('2020-01-01T00:00:00.000Z')
  await accounts.update(id, { deletedAt: long, updatedAt: long } as object)
  recovered = []
  return accounts.findOneOrFail({ where: { id }, withDeleted: true })
}

const stored = () => db.dataSource.getRepository(Account).findOneOrFail({ where: { name }, withDeleted: true })

describe.each(surroundings)('%s', (_where, within) => {
  test('a soft-deleted match is not found, and the key that it holds is told as the database tells it', async () => {
    const deleted = await deletedAccount()
    const { failure, count } = await within(db.dataSource, async (manager) => ({
      failure: await failureOf(accountsOf(manager).getOrCreate({ name })),
      count: await manager.countBy(Account, { name }),
    }))

    expect(isUniqueViolation(failure)).toBe(true)
    expect(failure).toMatchObject({ name: 'QueryFailedError' })
    expect(count).toBe(0)
    expect(await stored()).toEqual(deleted)
  })

  test('withDeleted: a soft-deleted match counts as found and stays deleted', async () => {
    const deleted = await deletedAccount()
    const found = await within(db.dataSource, (manager) =>
      accountsOf(manager).getOrCreate({ name }, { balance: 9 }, { withDeleted: true }),
    )

    expect(found).toStrictEqual([deleted, false])
    expect(recovered).toEqual([])
  })

  test('withDeleted: a row that is created has no delete date', async () => {
    const [created, isNew] = await within(db.dataSource, (manager) =>
      accountsOf(manager).getOrCreate({ name }, {}, { withDeleted: true }),
    )

    expect(isNew).toBe(true)
    expect(created.deletedAt).toBeNull()
  })

  test('restoreDeleted: the match is recovered in the same call, with its own values, and was not created', async () => {
    const deleted = await deletedAccount()
    const [account, created] = await within(db.dataSource, (manager) =>
      accountsOf(manager).getOrCreate({ name }, { balance: 9 }, { restoreDeleted: true }),
    )

    expect(created).toBe(false)
    expect(account).toMatchObject({ id: deleted.id, balance: 5, deletedAt: null })
    expect(account).toStrictEqual(await stored())
  })

  test('restoreDeleted: the version and the update date move on', async () => {
    const deleted = await deletedAccount()
    const [account] = await within(db.dataSource, (manager) =>
      accountsOf(manager).getOrCreate({ name }, {}, { restoreDeleted: true }),
    )

    expect(account.version).toBe(deleted.version + 1)
    expect(account.updatedAt.getTime()).toBeGreaterThan(deleted.updatedAt.getTime())
  })

  test('restoreDeleted: listeners and subscribers of recovery run once', async () => {
    await deletedAccount()
    await within(db.dataSource, (manager) => accountsOf(manager).getOrCreate({ name }, {}, { restoreDeleted: true }))

    expect(recovered.sort()).toEqual([
      'AfterRecover',
      'BeforeRecover',
      `afterRecover ${name}, deletedAt null`,
      `beforeRecover ${name}`,
    ])
  })

  test('restoreDeleted: a match that is not deleted is left alone', async () => {
    const account = await accountsOf(db.dataSource.manager).save({ name })
    const before = await stored()
    const found = await within(db.dataSource, (manager) =>
      accountsOf(manager).getOrCreate({ name }, {}, { restoreDeleted: true }),
    )

    expect(found).toStrictEqual([before, false])
    expect(found[0].id).toBe(account.id)
    expect(recovered).toEqual([])
  })

  test('restoreDeleted: a row that nobody has is created', async () => {
    const [account, created] = await within(db.dataSource, (manager) =>
      accountsOf(manager).getOrCreate({ name }, { balance: 3 }, { restoreDeleted: true }),
    )

    expect(created).toBe(true)
    expect(account).toStrictEqual(await stored())
    expect(recovered).toEqual([])
  })

  test('restoreDeleted: of two that meet, one recovers the row, and the other gets it as recovered', async () => {
    const deleted = await deletedAccount()
    const recover = (manager: EntityManager) => accountsOf(manager).getOrCreate({ name }, {}, { restoreDeleted: true })
    meanwhile = () => rival.act(recover)
    const result = await within(db.dataSource, recover)

    const now = await stored()
    expect(now).toMatchObject({ deletedAt: null, version: deleted.version + 1 })
    expect(result).toStrictEqual([now, false])
    expect(recovered.filter((event) => event === 'AfterRecover')).toHaveLength(1)
  })

  test('restoreDeleted: a winner that is deleted before we read it is recovered', async () => {
    const [account, created] = await within(db.dataSource, (manager) =>
      accountsOf(manager).getOrCreate(
        { name },
        async () => {
          await rival.act(async (other) => {
            await other.insert(Account, { name, balance: 8 })
            await other.softDelete(Account, { name })
          })
          return { balance: 1 }
        },
        { restoreDeleted: true },
      ),
    )

    expect(created).toBe(false)
    expect(account).toMatchObject({ balance: 8, deletedAt: null })
    expect(await stored()).toMatchObject({ balance: 8, deletedAt: null })
  })
})

test('restoreDeleted: of many at once, one recovers the row and all get it', async () => {
  const deleted = await deletedAccount()
  const results = await Promise.all(
    Array.from({ length: 10 }, () =>
      accountsOf(db.dataSource.manager).getOrCreate({ name }, {}, { restoreDeleted: true }),
    ),
  )

  const now = await stored()
  for (const result of results) expect(result).toStrictEqual([now, false])
  expect(now).toMatchObject({ deletedAt: null, version: deleted.version + 1 })
  expect(recovered.filter((event) => event === 'AfterRecover')).toHaveLength(1)
})

describe.each<[string, new () => Hidden | Stamped]>([
  ['is not selected', Hidden],
  ['is embedded', Stamped],
])('where the delete date %s', (_where, target) => {
  const rows = () => withGetOrCreate(db.dataSource.getRepository(target))
  const live = () => rows().findOneByOrFail({ name })

  beforeEach(async () => {
    await rows().save({ name, balance: 5 })
    await rows().softDelete({ name })
  })

  test('restoreDeleted: the match is recovered', async () => {
    const result = await rows().getOrCreate({ name }, {}, { restoreDeleted: true })
    expect(result).toStrictEqual([await live(), false])
    const sent = await db.statements.of(() => rows().getOrCreate({ name }, {}, { restoreDeleted: true }))
    expect(sent.filter((sql) => !/^SELECT/.test(sql))).toEqual([])
  })

  test('restoreDeleted: the match is recovered and updated', async () => {
    const [row] = await rows().updateOrCreate({ name }, { balance: 6 }, { restoreDeleted: true })
    expect(row.balance).toBe(6)
    expect(row).toStrictEqual(await live())
  })
})

test('restoreDeleted is refused for an entity without a delete date', async () => {
  const plains = withGetOrCreate(db.dataSource.getRepository(Plain))
  const sent = await db.statements.of(() =>
    expect(plains.getOrCreate({ name }, {}, { restoreDeleted: true })).rejects.toThrow(InvalidOptionsError),
  )
  expect(sent).toEqual([])
})
