import { Column, Entity, type EntitySubscriberInterface, PrimaryColumn, type UpdateEvent, VersionColumn } from 'typeorm'
import { type Updates, withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'

const salts = { used: 0 }

/** What reads give is no longer what was given: to store it again would store another value. */
@Entity()
class Account {
  @PrimaryColumn({ length: 40 })
  login!: string

  @Column({ default: 0 })
  visits!: number

  /** One way. */
  @Column({
    length: 80,
    transformer: { to: (token?: string) => token && `#${token}`, from: (stored: string) => stored },
  })
  token!: string

  /** Another value each time. */
  @Column({
    type: 'varchar',
    length: 80,
    transformer: {
      to: (pin?: string) => pin && `${++salts.used}:${pin}`,
      from: (stored: string) => stored.slice(stored.indexOf(':') + 1),
    },
  })
  pin!: string

  /** Another value each time, read as an object. */
  @Column({
    type: 'varchar',
    length: 80,
    transformer: {
      to: (card?: { number: string }) => card && `${++salts.used}:${card.number}`,
      from: (stored: string) => ({ number: stored.slice(stored.indexOf(':') + 1) }),
    },
  })
  card!: { number: string }

  #mail = ''

  /** An accessor that takes strings only. */
  @Column({ length: 80, default: '', transformer: { to: (mail?: string) => mail, from: (mail: string) => mail } })
  get mail(): string {
    return this.#mail
  }
  set mail(mail: string) {
    this.#mail = mail.toLowerCase()
  }

  @VersionColumn({ select: false })
  version!: number
}

let db: OpenDatabase

beforeEach(async () => {
  db = await openDatabase([Account])
  await accounts().save({ login: 'a', token: 't', pin: 'p', card: { number: '1' } })
})
afterEach(() => db.close())

const accounts = () => withGetOrCreate(db.dataSource.getRepository(Account))

/** As it is stored, before transformers. */
const stored = async () => {
  const [record] = await db.dataSource.query('SELECT * FROM account')
  return record
}

const forms: [string, Updates<Account>][] = [
  ['values', { visits: 1 }],
  ['a function that gives values', (account) => ({ visits: account.visits + 1 })],
  ['a function that gives the row with changes', (account) => ({ ...account, visits: account.visits + 1 })],
  [
    'a function that changes the row',
    (account) => {
      account.visits += 1
      return account
    },
  ],
]

test.each(forms)(
  '%s: columns with a transformer that were not changed stay as they are stored',
  async (form, updates) => {
    // An object that was handed out may have been changed in place, which its transformer alone can tell.
    const isHandedOut = /the row/.test(form)
    const { card, ...before } = await stored()
    const [account] = await accounts().updateOrCreate({ login: 'a' }, updates)

    expect(await stored()).toMatchObject({ ...before, ...(isHandedOut ? {} : { card }), visits: 1, version: 2 })
    expect(account).toEqual(await accounts().findOneByOrFail({ login: 'a' }))
  },
)

test('nothing changed: no UPDATE, and no new version', async () => {
  const before = await stored()
  const sent = await db.statements.of(() => accounts().updateOrCreate({ login: 'a' }, { visits: 0, pin: 'p' }))
  expect(sent.filter((sql) => /^UPDATE/.test(sql))).toEqual([])
  expect(await stored()).toEqual(before)
})

test('a changed one is stored as its transformer gives it', async () => {
  await accounts().updateOrCreate({ login: 'a' }, { token: 'new', card: { number: '2' } })
  expect(await stored()).toMatchObject({ token: '#new', card: expect.stringMatching(/:2$/) })
})

test('subscribers are told what is stored, and may change it', async () => {
  const told: unknown[] = []
  const subscriber: EntitySubscriberInterface<Account> = {
    listenTo: () => Account,
    beforeUpdate({ entity, databaseEntity }: UpdateEvent<Account>) {
      told.push(databaseEntity.token, databaseEntity.pin, databaseEntity.card)
      if (entity) entity.card.number = '3'
    },
  }
  db.dataSource.subscribers.push(subscriber)
  const before = await stored()
  await accounts().updateOrCreate({ login: 'a' }, { visits: 1 })

  expect(told).toEqual(['#t', 'p', { number: '1' }])
  expect(await stored()).toMatchObject({ token: '#t', pin: before.pin, card: expect.stringMatching(/:3$/), visits: 1 })
})
