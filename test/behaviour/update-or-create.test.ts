import {
  type DeepPartial,
  type EntityManager,
  type EntitySubscriberInterface,
  EventSubscriber,
  type FindOptionsWhere,
  IsNull,
  Like,
  type ObjectLiteral,
  QueryFailedError,
  type UpdateEvent,
} from 'typeorm'
import {
  type GetOrCreateRepository,
  InvalidValuesError,
  isTransientFailure,
  isUniqueViolation,
  MultipleEntitiesFoundError,
  type UpdateOrCreateOptions,
  type Updates,
  withGetOrCreate,
} from '../../src/index.js'
import { Album, cascadeEntities, Genre, Venue } from '../cascade-entities.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { dieInDeadlock, prepareDeadlocks } from '../deadlock.js'
import { joinDuel, observe, stopBefore } from '../duel.js'
import { entities, Post, Tag, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { inProcesses } from '../in-processes.js'
import { countVisits } from '../incrementing.js'
import { openRival, type Rival } from '../rival.js'
import { surroundings } from '../surroundings.js'
import {
  Contract,
  Counter,
  Gadget,
  heard,
  Ledger,
  Money,
  Sensor,
  Shelf,
  Size,
  Story,
  Topic,
  updateEntities,
} from '../update-entities.js'

/** What a subscriber does beside listening; a test sets it, for once. */
let during: ((event: UpdateEvent<Story>) => unknown) | undefined

@EventSubscriber()
class StorySubscriber implements EntitySubscriberInterface<Story> {
  listenTo() {
    return Story
  }

  async beforeUpdate(event: UpdateEvent<Story>) {
    heard.push(['beforeUpdate', ...told(event)])
    const once = during
    during = undefined
    await once?.(event)
  }

  afterUpdate(event: UpdateEvent<Story>) {
    heard.push(['afterUpdate', ...told(event)])
  }
}

const told = ({ entity, databaseEntity, updatedColumns, updatedRelations }: UpdateEvent<Story>) => [
  entity instanceof Story,
  entity?.title,
  databaseEntity?.title,
  databaseEntity?.version,
  updatedColumns.map(({ propertyName }) => propertyName).sort(),
  updatedRelations.map(({ propertyName }) => propertyName),
]

let db: OpenDatabase
let rival: Rival
let team: Team
let otherTeam: Team

beforeAll(async () => {
  db = await openDatabase([...entities, ...cascadeEntities, ...updateEntities], { subscribers: [StorySubscriber] })
  rival = await openRival(db)
  team = await db.dataSource.manager.save(Team, { name: 'T' })
  otherTeam = await db.dataSource.manager.save(Team, { name: 'U' })
})
beforeEach(() => {
  heard.length = 0
  during = undefined
})
afterAll(() => db.close())

let keys = 0
const newKey = () => `key ${++keys}`

type Target<E> = new () => E

function repositoryOf<E extends ObjectLiteral>(entity: Target<E>, manager = db.dataSource.manager) {
  return withGetOrCreate(manager.getRepository(entity), { uniqueness: 'ignore' }) as GetOrCreateRepository<E>
}

const words = (sent: string[]) =>
  sent.map((sql) => sql.trimStart().split(/\s/, 1)[0] as string).map((word) => (word === 'START' ? 'BEGIN' : word))

const kinds = async (work: () => Promise<unknown>) => words(await db.statements.of(work))

const updatesIn = (sent: string[]) => sent.filter((sql) => /^UPDATE/i.test(sql))

/** The columns that an UPDATE writes. */
function columnsSetBy(sql: string | undefined): string[] {
  const assignments = /\sSET (.*?)\sWHERE/s.exec(sql ?? '')?.[1] ?? ''
  return [...assignments.matchAll(/["`](\w+)["`]\s*=/g)].map(([, column]) => column as string).sort()
}

const thrown = new Error('no updates today')

const throwing = () => {
  throw thrown
}

describe.each(surroundings)('%s', (_where, within) => {
  const updateOrCreate = <E extends ObjectLiteral>(
    entity: Target<E>,
    criteria: FindOptionsWhere<NoInfer<E>>,
    updates: Updates<NoInfer<E>>,
    options?: UpdateOrCreateOptions<NoInfer<E>>,
  ) =>
    within(db.dataSource, async (manager): Promise<[E, boolean]> => {
      const repository = repositoryOf(entity, manager)
      return repository.updateOrCreate(criteria as never, updates as never, options as never)
    })

  const stored = <E extends ObjectLiteral>(entity: Target<E>, where: object) =>
    db.dataSource.getRepository(entity).findOneOrFail({ where })

  describe('a new row', () => {
    test('is criteria, updates and createDefaults, of which the later win', async () => {
      const path = newKey()
      const [counter, created] = await updateOrCreate(
        Counter,
        { path, version: 1 },
        { hits: 5 },
        { createDefaults: { hits: 1 } },
      )
      expect([created, counter.hits]).toEqual([true, 1])
      expect(await stored(Counter, { path })).toEqual(counter)
    })

    test('has the updates that are an object', async () => {
      const email = newKey()
      const [user, created] = await updateOrCreate(User, { email }, { name: 'N', hits: 3, team: { id: team.id } })
      expect(created).toBe(true)
      expect(await stored(User, { email })).toEqual(user)
      expect(await db.dataSource.manager.findOneBy(User, { email, team: { id: team.id } })).toMatchObject({ hits: 3 })
    })

    test('has none of the updates that are a function, which is not called', async () => {
      const path = newKey()
      const updates = jest.fn(({ hits }: Counter) => ({ hits: hits + 1 }))
      const [counter, created] = await updateOrCreate(Counter, { path }, updates, { createDefaults: { hits: 1 } })
      expect([created, counter.hits]).toEqual([true, 1])
      expect(updates).not.toHaveBeenCalled()
    })

    test('merges the embedded objects of criteria, updates and createDefaults', async () => {
      const code = newKey()
      const [gadget] = await updateOrCreate(
        Gadget,
        { code },
        { size: { width: 3 } },
        { createDefaults: () => ({ size: { unit: 'cm' } }) },
      )
      expect(gadget.size).toEqual({ width: 3, unit: 'cm' })
    })

    test('takes createDefaults from a function, which runs once, and only on a miss', async () => {
      const path = newKey()
      const createDefaults = jest.fn(async () => ({ hits: 4 }))
      const call = () => updateOrCreate(Counter, { path }, {}, { createDefaults })
      expect([(await call())[0].hits, (await call())[1]]).toEqual([4, false])
      expect(createDefaults).toHaveBeenCalledTimes(1)
    })

    test('is not stored when createDefaults throw, whose error is passed on', async () => {
      const path = newKey()
      expect(await failureOf(updateOrCreate(Counter, { path }, { hits: 1 }, { createDefaults: throwing }))).toBe(thrown)
      expect(await repositoryOf(Counter).countBy({ path })).toBe(0)
    })

    test('is stored with its cascades and links', async () => {
      const slug = newKey()
      const [post] = await updateOrCreate(
        Post,
        { slug },
        { title: 'P', tags: [{ label: slug }] },
        { relations: { tags: true } },
      )
      expect(post.tags.map(({ label }) => label)).toEqual([slug])
    })

    test('that the database refuses is the error of the driver, and nothing is stored', async () => {
      const email = newKey()
      const failure = await failureOf(updateOrCreate(User, { email }, { hits: 1 }))
      expect(failure).toBeInstanceOf(QueryFailedError)
      expect(isUniqueViolation(failure)).toBe(false)
      expect(await repositoryOf(User).countBy({ email })).toBe(0)
    })

    test('that collides on another unique key is the error of the driver, and that row stays as it is', async () => {
      const [email, handle] = [newKey(), newKey()]
      await repositoryOf(User).save({ email: newKey(), handle, name: 'first' })
      expect(isUniqueViolation(await failureOf(updateOrCreate(User, { email }, { handle, name: 'second' })))).toBe(true)
      expect(await stored(User, { handle })).toMatchObject({ name: 'first', version: 1 })
    })
  })

  describe('a row that exists', () => {
    let path: string
    let before: Counter

    beforeEach(async () => {
      path = newKey()
      before = await repositoryOf(Counter).save({ path, hits: 5 })
    })

    test('gets the updates that are an object, and none of createDefaults', async () => {
      const [counter, created] = await updateOrCreate(Counter, { path }, { hits: 6 }, { createDefaults: { hits: 1 } })
      expect([created, counter.hits, counter.id]).toEqual([false, 6, before.id])
      expect(await stored(Counter, { path })).toEqual(counter)
    })

    test('gets what the function makes of it, async or not', async () => {
      await updateOrCreate(Counter, { path }, ({ hits }) => ({ hits: hits + 1 }))
      const [counter] = await updateOrCreate(Counter, { path }, async ({ hits }) => ({ hits: hits + 1 }))
      expect(counter.hits).toBe(7)
      expect(await stored(Counter, { path })).toEqual(counter)
    })

    test('is given to the function as an entity, complete', async () => {
      let current: Counter | undefined
      await updateOrCreate(Counter, { path }, (row) => {
        current = row
        return {}
      })
      expect(current).toBeInstanceOf(Counter)
      expect(current).toEqual(await stored(Counter, { path }))
    })

    test('may be changed by the function in place and returned', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N', hits: 1 })
      const [user] = await updateOrCreate(User, { email }, (current) => {
        current.hits += 1
        return current
      })
      expect(user).toMatchObject({ hits: 2, name: 'N', version: 2 })
      expect(await stored(User, { email })).toEqual(user)
    })

    test('may be changed in place and returned where it has fields that no column stands for', async () => {
      const [counter] = await updateOrCreate(Counter, { path }, (current) => {
        current.hits += 1
        return current
      })
      expect(counter).toMatchObject({ hits: 6, doubled: 12, version: 2 })
      expect(await stored(Counter, { path })).toEqual(counter)
    })

    test('may be changed in place and returned where a relation is read by its id only', async () => {
      const number = newKey()
      await repositoryOf(Contract).save({ number, partner: team })
      const [contract] = await updateOrCreate(Contract, { number }, (current) => {
        current.teamId = otherTeam.id
        return current
      })
      expect(contract).toMatchObject({ teamId: otherTeam.id, partnerId: team.id })
      expect(await stored(Contract, { number })).toEqual(contract)
    })

    test('is not changed by what the function does to it without returning it', async () => {
      const [counter] = await updateOrCreate(Counter, { path }, (current) => {
        current.hits = 99
        return {}
      })
      expect(counter).toEqual(await stored(Counter, { path }))
      expect(counter.hits).toBe(5)
    })

    test('is returned as it is stored, whatever the function did to it beside what it returned', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N', hits: 1 })
      const [user] = await updateOrCreate(User, { email }, (current) => {
        current.name = 'never returned'
        return { hits: 2 }
      })
      expect(user).toEqual(await stored(User, { email }))
      expect(user.name).toBe('N')
    })

    test('stays as it is when the function throws, whose error is passed on', async () => {
      expect(await failureOf(updateOrCreate(Counter, { path }, throwing))).toBe(thrown)
      expect(await failureOf(updateOrCreate(Counter, { path }, () => Promise.reject(thrown)))).toBe(thrown)
      expect(await stored(Counter, { path })).toMatchObject({ hits: 5, version: 1 })
    })

    test.each([undefined, null, 1, 'hits', true, [], [{ hits: 1 }], new Date(), () => ({ hits: 1 })])(
      'stays as it is when the function returns %p, which is refused',
      async (returned) => {
        const failure = await failureOf(updateOrCreate(Counter, { path }, () => returned as never))
        expect(failure).toBeInstanceOf(InvalidValuesError)
        expect(failure.message).toMatch(/updates/)
        expect(await stored(Counter, { path })).toMatchObject({ hits: 5, version: 1 })
      },
    )

    test.each([
      [{ hitz: 1 }, 'updates.hitz'],
      [{ hits: IsNull() }, 'updates.hits'],
      [{ hits: () => 1 }, 'updates.hits'],
    ])('stays as it is when the function returns %j, whose path is named', async (returned, named) => {
      const failure = await failureOf(updateOrCreate(Counter, { path }, () => returned as never))
      expect(failure).toBeInstanceOf(InvalidValuesError)
      expect(failure.message).toContain(named)
      expect(await stored(Counter, { path })).toMatchObject({ hits: 5, version: 1 })
    })

    test('may be given another key', async () => {
      const renamed = newKey()
      const [counter] = await updateOrCreate(Counter, { path }, { path: renamed })
      expect(counter).toEqual(await stored(Counter, { path: renamed }))
      expect(counter.id).toBe(before.id)
    })

    test.each(['in place', 'by a new object'])('may be given another primary key, %s', async (how) => {
      const [number, renumbered] = [newKey(), newKey()]
      await repositoryOf(Contract).save({ number, team })
      const [contract] = await updateOrCreate(Contract, { number }, (current) => {
        const values = how === 'in place' ? current : {}
        return Object.assign(values, { number: renumbered, partner: otherTeam })
      })
      expect(contract).toEqual(await stored(Contract, { number: renumbered }))
      expect(contract).toMatchObject({ teamId: team.id, partnerId: otherTeam.id })
      expect(await repositoryOf(Contract).countBy({ number })).toBe(0)
    })

    test('stays as it is when the update collides on a unique key, which is the error of the driver', async () => {
      const taken = newKey()
      await repositoryOf(Counter).save({ path: taken })
      const failure = await failureOf(updateOrCreate(Counter, { path }, { path: taken }))
      expect(failure).toBeInstanceOf(QueryFailedError)
      expect(isUniqueViolation(failure)).toBe(true)
      expect(await stored(Counter, { path })).toMatchObject({ hits: 5, version: 1 })
    })

    test('is found by criteria that no unique key covers, and must be the only one', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: `only ${email}` })
      const [user] = await updateOrCreate(User, { name: `only ${email}` }, { hits: 2 })
      expect(user).toEqual(await stored(User, { email }))
      await repositoryOf(User).save({ email: newKey(), name: `only ${email}` })
      const failure = await failureOf(updateOrCreate(User, { name: `only ${email}` }, { hits: 3 }))
      expect(failure).toBeInstanceOf(MultipleEntitiesFoundError)
      expect(await stored(User, { email })).toMatchObject({ hits: 2 })
    })

    test('does not change the arguments', async () => {
      const [criteria, updates, createDefaults] = [{ code: newKey() }, { size: { width: 1 } }, { label: 'X' }]
      const copies = structuredClone([criteria, updates, createDefaults])
      for (const _call of ['creates', 'finds']) await updateOrCreate(Gadget, criteria, updates, { createDefaults })
      expect([criteria, updates, createDefaults]).toEqual(copies)
    })
  })

  describe('what is written', () => {
    const changes: [what: string, changes: DeepPartial<Gadget>, columns: string[]][] = [
      ['a text', { note: 'changed' }, ['note']],
      ['an empty text', { note: '' }, ['note']],
      ['null', { note: null }, ['note']],
      ['false', { active: false }, ['active']],
      ['one column of an embedded object', { size: { width: 9 } }, ['sizeWidth']],
      ['null in an embedded object', { size: { unit: null } }, ['sizeUnit']],
      [
        'a whole embedded object',
        { size: Object.assign(new Size(), { width: 8, unit: 'm' }) },
        ['sizeUnit', 'sizeWidth'],
      ],
      ['a value that a transformer changes', { label: 'MiXeD' }, ['label']],
      ['a value of a class', { price: new Money(250) }, ['price']],
      ['json', { settings: { units: ['m', 'cm'], limits: { max: 2 } } }, ['settings']],
      ['null for json', { settings: null }, ['settings']],
      ['a list', { marks: ['a', 'b'] }, ['marks']],
      ['a decimal', { weight: '12.50' }, ['weight']],
      ['a decimal with more digits than are stored', { weight: '12.499' }, ['weight']],
      ['a time', { soldAt: new Date('2021-02-03T04:05:06.000Z') }, ['soldAt']],
      ['a time with milliseconds', { soldAt: new Date('2021-02-03T04:05:06.789Z') }, ['soldAt']],
      ['a day', { day: '2021-02-03' }, ['day']],
      ['a large integer', { serial: '9007199254740993' }, ['serial']],
      ['several columns', { note: 'n', active: true, size: { width: 4 } }, ['active', 'note', 'sizeWidth']],
    ]

    async function newGadget(): Promise<string> {
      const code = newKey()
      const values = { note: 'n0', active: true, size: { width: 1, unit: 'mm' }, label: 'l0', price: new Money(100) }
      const more = { settings: { units: ['mm'] }, marks: ['x'], weight: '1.00', day: '2020-01-01', serial: '5' }
      await repositoryOf(Gadget).save({ code, ...values, ...more, soldAt: new Date('2020-01-01T00:00:00.000Z') })
      return code
    }

    test.each(changes)('%s: only what changed, and it comes back as a read gives it', async (_what, given, columns) => {
      const code = await newGadget()
      const old = await stored(Gadget, { code })
      let gadget: Gadget | undefined
      const sent = await db.statements.of(async () => {
        ;[gadget] = await updateOrCreate(Gadget, { code }, given)
      })
      const [update, ...more] = updatesIn(sent)
      const changed = columns.filter((column) => !isSame(old, given, column))
      expect(columnsSetBy(update)).toEqual(changed)
      expect(more).toEqual([])
      expect(gadget).toBeInstanceOf(Gadget)
      expect(gadget).toEqual(await stored(Gadget, { code }))
    })

    /** Two of the changes give what the row has already. */
    const isSame = (old: Gadget, given: DeepPartial<Gadget>, column: string) =>
      column in given && JSON.stringify(old[column as keyof Gadget]) === JSON.stringify(given[column as keyof Gadget])

    test.each(changes)('%s: a second time there is no UPDATE', async (_what, given) => {
      const code = await newGadget()
      const [gadget] = await updateOrCreate(Gadget, { code }, given)
      const again = Object.fromEntries(Object.keys(given).map((key) => [key, gadget[key as keyof Gadget]]))
      const sent = await db.statements.of(() => updateOrCreate(Gadget, { code }, again))
      expect(updatesIn(sent)).toEqual([])
    })

    test.each(['settings', 'marks', 'price', 'size', 'soldAt'] as const)(
      'what the function changed inside of %s, and returned with the row, is stored',
      async (property) => {
        const code = await newGadget()
        const change: Record<typeof property, (current: Gadget) => unknown> = {
          settings: ({ settings }) => settings?.units.push('km'),
          marks: ({ marks }) => marks?.push('y'),
          price: ({ price }) => {
            price.cents += 1
          },
          size: ({ size }) => {
            size.width += 1
          },
          soldAt: ({ soldAt }) => soldAt?.setUTCFullYear(2022),
        }
        const old = await stored(Gadget, { code })
        const [gadget] = await updateOrCreate(Gadget, { code }, (current) => {
          change[property](current)
          return current
        })
        expect(gadget[property]).not.toEqual(old[property])
        expect(await stored(Gadget, { code })).toEqual(gadget)
      },
    )

    test('a column that is not selected is written, and does not come back', async () => {
      const code = await newGadget()
      const [gadget] = await updateOrCreate(Gadget, { code }, { secret: 's3' })
      expect(gadget).not.toHaveProperty('secret')
      expect(await repositoryOf(Gadget).countBy({ code, secret: 's3' })).toBe(1)
    })

    test('a column that an UPDATE never writes keeps its value, as with save', async () => {
      const code = newKey()
      await repositoryOf(Sensor).save({ code, model: 5 })
      for (const updates of [{ model: 6 }, { model: 6, reading: 1 }]) {
        const [sensor] = await updateOrCreate(Sensor, { code }, updates)
        expect(sensor.model).toBe(5)
        expect(await stored(Sensor, { code })).toEqual(sensor)
      }
    })

    test('a column that an INSERT never writes can be updated', async () => {
      const code = newKey()
      await repositoryOf(Ledger).save({ code })
      const [ledger] = await updateOrCreate(Ledger, { code }, () => ({ closing: 9 }))
      expect(ledger.closing).toBe(9)
      expect(await stored(Ledger, { code })).toEqual(ledger)
    })

    test('a row may be changed in place and returned where it has columns that nobody writes', async () => {
      const code = newKey()
      await repositoryOf(Ledger).save({ code })
      const [ledger] = await updateOrCreate(Ledger, { code }, (current) => {
        current.amount += 1
        return current
      })
      expect([ledger.amount, Number(ledger.next)]).toEqual([1, 2])
      expect(await stored(Ledger, { code })).toEqual(ledger)
    })

    test('what the database writes by itself with an UPDATE comes back too', async () => {
      const code = newKey()
      await repositoryOf(Sensor).save({ code })
      const [sensor] = await updateOrCreate(Sensor, { code }, { reading: 1 })
      expect(await stored(Sensor, { code })).toEqual(sensor)
    })

    test('a number that is given as text comes back as a number', async () => {
      const path = newKey()
      await repositoryOf(Counter).save({ path })
      const [counter] = await updateOrCreate(Counter, { path }, { hits: '7' as unknown as number })
      expect(counter.hits).toBe(7)
      expect(await stored(Counter, { path })).toEqual(counter)
    })

    test('undefined is not given', async () => {
      const code = await newGadget()
      const sent = await db.statements.of(() =>
        updateOrCreate(Gadget, { code }, { note: undefined, active: false } as object),
      )
      expect(columnsSetBy(updatesIn(sent)[0])).toEqual(['active'])
    })

    test('nothing is written for no updates, for the same values and for the values of the criteria', async () => {
      const email = newKey()
      const user = await repositoryOf(User).save({ email, name: 'N', hits: 2 })
      const sent = await db.statements.of(async () => {
        for (const updates of [{}, { name: 'N', hits: 2 }, { email }, () => ({}), (current: User) => current]) {
          const [same, created] = await updateOrCreate(User, { email }, updates)
          expect([same.version, created]).toEqual([user.version, false])
          expect(same).toEqual(await stored(User, { email }))
        }
      })
      expect(updatesIn(sent)).toEqual([])
    })

    test('the version goes up by one and the update date does not go back, for a change', async () => {
      const path = newKey()
      let { updatedAt: last } = await repositoryOf(Counter).save({ path })
      for (const hits of [1, 2, 3, 4, 5]) {
        const [counter] = await updateOrCreate(Counter, { path }, { hits })
        expect(counter.version).toBe(hits + 1)
        expect(counter.updatedAt.getTime()).toBeGreaterThanOrEqual(last.getTime())
        expect(counter).toEqual(await stored(Counter, { path }))
        last = counter.updatedAt
      }
    })

    test('an old update date is renewed, the creation date is kept', async () => {
      const path = newKey()
      const { id } = await repositoryOf(Counter).save({ path })
      const old = new Date('2020-01-01T00:00:00.000Z')
      await repositoryOf(Counter).update(id, { updatedAt: old, createdAt: old } as object)
      const [counter] = await updateOrCreate(Counter, { path }, { hits: 1 })
      expect(Math.abs(counter.updatedAt.getTime() - Date.now())).toBeLessThan(3_600_000)
      expect(counter.createdAt).toEqual(old)
      expect(await stored(Counter, { path })).toEqual(counter)
    })

    test('a version or update date that is given is that of the row', async () => {
      const path = newKey()
      await repositoryOf(Counter).save({ path })
      const updatedAt = new Date('2030-01-01T00:00:00.000Z')
      const [counter] = await updateOrCreate(Counter, { path }, { hits: 1, updatedAt })
      expect(counter).toEqual(await stored(Counter, { path }))
      expect(counter.updatedAt).toEqual(updatedAt)
    })
  })

  describe('relations', () => {
    const idOfTeam = async (email: string) => {
      const user = await db.dataSource.manager.findOne(User, { where: { email }, relations: { team: true } })
      return user?.team?.id
    }

    test('by id, by entity, and null', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N', team })
      await updateOrCreate(User, { email }, { team: { id: otherTeam.id } })
      expect(await idOfTeam(email)).toBe(otherTeam.id)
      await updateOrCreate(User, { email }, { team })
      expect(await idOfTeam(email)).toBe(team.id)
      const [user] = await updateOrCreate(User, { email }, { team: null })
      expect(await idOfTeam(email)).toBeUndefined()
      expect(user).toEqual(await stored(User, { email }))
    })

    test('one that stays the same is no UPDATE', async () => {
      const [email, without] = [newKey(), newKey()]
      await repositoryOf(User).save([
        { email, name: 'N', team },
        { email: without, name: 'N' },
      ])
      const sent = await db.statements.of(async () => {
        await updateOrCreate(User, { email }, { team: { id: team.id } })
        await updateOrCreate(User, { email }, { team })
        await updateOrCreate(User, { email: without }, { team: null })
      })
      expect(updatesIn(sent)).toEqual([])
    })

    test('one that changes is written alone', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N', team })
      const sent = await db.statements.of(() => updateOrCreate(User, { email }, { name: 'N', team: otherTeam }))
      expect(columnsSetBy(updatesIn(sent)[0])).toEqual(['teamId', 'updatedAt', 'version'])
    })

    test('that are asked for are loaded, on an update, without a change, and on a creation', async () => {
      const email = newKey()
      const call = (updates: DeepPartial<User>) =>
        updateOrCreate(User, { email }, updates, { relations: { team: true } })
      const read = () => db.dataSource.manager.findOne(User, { where: { email }, relations: { team: true } })
      for (const updates of [{ name: 'N', team }, { name: 'N' }, { name: 'O' }, { team: otherTeam }, { team: null }]) {
        const [user] = await call(updates)
        expect(user).toEqual(await read())
      }
    })

    test('that were not asked for do not come back', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N' })
      const [user] = await updateOrCreate(User, { email }, { team })
      expect(user).not.toHaveProperty('team')
    })

    test('by a foreign key that is declared beside the relation, and by the relation', async () => {
      const number = newKey()
      await repositoryOf(Contract).save({ number, team })
      const [byKey] = await updateOrCreate(Contract, { number }, { teamId: otherTeam.id })
      expect([byKey.teamId, await stored(Contract, { number })]).toEqual([otherTeam.id, byKey])
      const [byRelation] = await updateOrCreate(Contract, { number }, { team })
      expect([byRelation.teamId, await stored(Contract, { number })]).toEqual([team.id, byRelation])
      const [none] = await updateOrCreate(Contract, { number }, { teamId: null })
      expect([none.teamId, await stored(Contract, { number })]).toEqual([null, none])
    })

    test('a row that does not exist there is the error of the driver', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N', team })
      expect(await failureOf(updateOrCreate(User, { email }, { team: { id: 999_999 } }))).toBeInstanceOf(
        QueryFailedError,
      )
      expect(await idOfTeam(email)).toBe(team.id)
    })

    test('a new parent is stored where the relation cascades, and refused where it does not', async () => {
      const slug = newKey()
      await repositoryOf(Post).save({ slug })
      const [post] = await updateOrCreate(Post, { slug }, { team: { name: slug } }, { relations: { team: true } })
      expect(post.team?.name).toBe(slug)
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N' })
      const refused = updateOrCreate(User, { email }, () => ({ team: { name: slug } }))
      expect(await failureOf(refused)).toBeInstanceOf(InvalidValuesError)
      expect(await stored(User, { email })).toMatchObject({ version: 1 })
    })

    const labels = async (slug: string) => {
      const post = await db.dataSource.manager.findOne(Post, { where: { slug }, relations: { tags: true } })
      return post?.tags.map(({ label }) => label).sort()
    }

    test('many-to-many values become the links of the row, new ones are stored', async () => {
      const slug = newKey()
      const [kept, dropped, added] = [`${slug} a`, `${slug} b`, `${slug} c`] as const
      const { tags } = await repositoryOf(Post).save({ slug, tags: [{ label: kept }, { label: dropped }] })
      const [post] = await updateOrCreate(
        Post,
        { slug },
        { title: 'changed', tags: [{ id: tags[0]?.id as number }, { label: added }] },
        { relations: { tags: true } },
      )
      expect(await labels(slug)).toEqual([kept, added])
      expect(post.tags.map(({ label }) => label).sort()).toEqual([kept, added])
      expect(post.title).toBe('changed')
      expect(await db.dataSource.manager.countBy(Tag, { label: dropped })).toBe(1)
    })

    test('many-to-many values alone, without a column that changes', async () => {
      const slug = newKey()
      await repositoryOf(Post).save({ slug, tags: [{ label: `${slug} a` }] })
      await updateOrCreate(Post, { slug }, { tags: [{ label: `${slug} b` }] })
      expect(await labels(slug)).toEqual([`${slug} b`])
    })

    test('an empty list takes the links away', async () => {
      const slug = newKey()
      await repositoryOf(Post).save({ slug, tags: [{ label: slug }] })
      await updateOrCreate(Post, { slug }, { tags: [] })
      expect(await labels(slug)).toEqual([])
    })

    test('a function may add to the links that it was given', async () => {
      const slug = newKey()
      await repositoryOf(Post).save({ slug, tags: [{ label: `${slug} a` }] })
      const added = await db.dataSource.manager.save(Tag, { label: `${slug} b` })
      const [post] = await updateOrCreate(Post, { slug }, ({ tags }) => ({ tags: [...tags, added] }), {
        relations: { tags: true },
      })
      expect(await labels(slug)).toEqual([`${slug} a`, `${slug} b`])
      expect(post.tags).toHaveLength(2)
    })

    test('children and the other side of a one-to-one are stored', async () => {
      const title = newKey()
      await repositoryOf(Album).save({ title })
      const values = {
        stars: 5,
        genres: [{ name: title }],
        tracks: [{ position: 1, name: 'one' }],
        cover: { picture: 'p' },
      }
      const [album] = await updateOrCreate(Album, { title }, values, {
        relations: { genres: true, tracks: true, cover: true },
      })
      expect(album).toMatchObject(values)
    })

    test('an empty list and null take away children and the other side of a one-to-one', async () => {
      const title = newKey()
      await repositoryOf(Album).save({ title, tracks: [{ position: 1, name: 'one' }], cover: { picture: 'p' } })
      const relations = { tracks: true, cover: true }
      const [album] = await updateOrCreate(Album, { title }, { tracks: [], cover: null }, { relations })
      expect(album).toMatchObject({ tracks: [], cover: null })
      expect(album).toEqual(await db.dataSource.manager.findOne(Album, { where: { title }, relations }))
    })

    test('a parent that cascades updates is updated, and comes back as it is', async () => {
      const code = newKey()
      const { owner } = await repositoryOf(Venue).save({ code, owner: { name: 'old' } })
      const updates = { owner: { id: owner?.id as number, name: 'new' } }
      const [venue] = await updateOrCreate(Venue, { code }, updates, { relations: { owner: true } })
      expect(venue.owner).toMatchObject(updates.owner)
    })

    const trees = [
      ['a materialized path', Shelf],
      ['a closure table', Topic],
    ] as const
    test.each(trees)(
      'the parent in a tree with %s: the row moves there, with its place in the tree',
      async (_kind, entity) => {
        const name = newKey()
        const [from, to] = await repositoryOf<Shelf | Topic>(entity).save([{ name: newKey() }, { name: newKey() }])
        await updateOrCreate<Shelf | Topic>(entity, { name }, { parent: { id: from?.id as number } })
        await updateOrCreate<Shelf | Topic>(entity, { name }, { parent: { id: to?.id as number } })
        const tree = db.dataSource.getTreeRepository<Shelf | Topic>(entity)
        const below = async (node: Shelf | Topic | undefined) =>
          (await tree.findDescendants(node as Shelf)).filter(({ id }) => id !== node?.id).map((shelf) => shelf.name)
        expect([await below(from), await below(to)]).toEqual([[], [name]])
      },
    )

    test('that fail to be stored leave the row as it was', async () => {
      const [title, taken] = [newKey(), newKey()]
      await repositoryOf(Genre).save({ name: taken })
      await repositoryOf(Album).save({ title })
      const failure = await failureOf(updateOrCreate(Album, { title }, { stars: 5, genres: [{ name: taken }] }))
      expect(isUniqueViolation(failure)).toBe(true)
      expect(await stored(Album, { title })).toMatchObject({ stars: 0 })
    })
  })

  describe('hooks', () => {
    const newStory = async () => {
      const slug = newKey()
      await repositoryOf(Story).save({ slug, title: 'old' })
      heard.length = 0
      return slug
    }

    async function heardOf(work: () => Promise<unknown>): Promise<unknown[]> {
      heard.length = 0
      await work()
      return [...heard]
    }

    test.each([{ title: 'new' }, { title: 'new', team: 'T' }, { team: 'T' }, { title: 'old' }])(
      'are told of %j what save tells them',
      async ({ team: name, ...values }) => {
        const [ours, theirs] = [await newStory(), await newStory()]
        const changes = { ...values, ...(name && { team }) }
        const saving = await stored(Story, { slug: theirs })
        const bySave = await heardOf(() =>
          within(db.dataSource, (manager) => manager.save(Object.assign(saving, changes))),
        )
        const byUs = await heardOf(() => updateOrCreate(Story, { slug: ours }, changes))
        expect(byUs).toEqual(bySave)
      },
    )

    test('run once each around the UPDATE', async () => {
      const slug = await newStory()
      await updateOrCreate(Story, { slug }, { title: 'new' })
      expect(heard.map((entry) => (entry as unknown[])[0]).sort()).toEqual([
        'AfterUpdate',
        'BeforeUpdate',
        'afterUpdate',
        'beforeUpdate',
      ])
    })

    test('do not run where nothing changed, nor for a row that is created', async () => {
      const slug = await newStory()
      await updateOrCreate(Story, { slug }, { title: 'old' })
      await updateOrCreate(Story, { slug: newKey() }, { title: 'created' })
      expect(heard).toEqual([])
    })

    test('before the UPDATE may change the entity, and that is stored', async () => {
      const slug = await newStory()
      during = ({ entity }) => {
        if (entity) entity.title = `${entity.title}, by subscriber`
      }
      const [story] = await updateOrCreate(Story, { slug }, { title: 'new' })
      expect(story.title).toBe('new, by subscriber')
      expect(story.editedBy).toMatch(/^listener of new/)
      expect(await stored(Story, { slug })).toEqual(story)
    })

    test('that throw leave the row as it was', async () => {
      const slug = await newStory()
      during = throwing
      expect(await failureOf(updateOrCreate(Story, { slug }, { title: 'new' }))).toBe(thrown)
      expect(await stored(Story, { slug })).toMatchObject({ title: 'old', version: 1 })
    })

    test('may update or create on the manager of their event', async () => {
      const slug = await newStory()
      const path = newKey()
      during = ({ manager }) => repositoryOf(Counter, manager).updateOrCreate({ path }, { hits: 1 })
      await updateOrCreate(Story, { slug }, { title: 'new' })
      expect(await stored(Counter, { path })).toMatchObject({ hits: 1 })
    })
  })

  describe('soft deletion', () => {
    let slug: string
    beforeEach(async () => {
      slug = newKey()
      await repositoryOf(Post).save({ slug, title: 'old', deletedAt: new Date('2020-01-01T00:00:00.000Z') })
    })
    const withDeleted = () => db.dataSource.manager.findOneOrFail(Post, { where: { slug }, withDeleted: true })

    test('a soft-deleted match is not found, and the key that it holds is told as the database tells it', async () => {
      const before = await withDeleted()
      expect(isUniqueViolation(await failureOf(updateOrCreate(Post, { slug }, { title: 'new' })))).toBe(true)
      expect(await withDeleted()).toEqual(before)
    })

    test('withDeleted updates it, and leaves it deleted', async () => {
      const [post, created] = await updateOrCreate(Post, { slug }, { title: 'new' }, { withDeleted: true })
      expect([post.title, created, post.deletedAt]).toEqual(['new', false, expect.any(Date)])
      expect(await withDeleted()).toEqual(post)
    })

    test.each([undefined, { tags: true }])(
      'an update can delete a row softly, with relations %j',
      async (relations) => {
        const path = newKey()
        await repositoryOf(Post).save({ slug: path })
        const deletedAt = new Date('2021-02-03T04:05:06.000Z')
        const [post] = await updateOrCreate(Post, { slug: path }, { deletedAt }, relations && { relations })
        expect(post.deletedAt).toEqual(deletedAt)
        const options = { where: { slug: path }, withDeleted: true, ...(relations && { relations }) }
        expect(await db.dataSource.manager.findOne(Post, options)).toEqual(post)
      },
    )

    test('restoreDeleted recovers it and updates it', async () => {
      const [post, created] = await updateOrCreate(Post, { slug }, { title: 'new' }, { restoreDeleted: true })
      expect([post.title, created, post.deletedAt]).toEqual(['new', false, null])
      expect(await stored(Post, { slug })).toEqual(post)
    })

    test('restoreDeleted recovers it also where nothing else changes, and gives the recovered row to the function', async () => {
      const updates = jest.fn((_current: Post) => ({}))
      const [post] = await updateOrCreate(Post, { slug }, updates, { restoreDeleted: true })
      expect(updates.mock.calls[0]?.[0]).toMatchObject({ deletedAt: null })
      expect(await stored(Post, { slug })).toEqual(post)
    })

    test('restoreDeleted recovers nothing when the function throws', async () => {
      const before = await withDeleted()
      expect(await failureOf(updateOrCreate(Post, { slug }, throwing, { restoreDeleted: true }))).toBe(thrown)
      expect(await withDeleted()).toEqual(before)
    })
  })

  test('60 increments at once, of a row that did not exist, end in exactly 60', async () => {
    const path = newKey()
    await within(db.dataSource, (manager) =>
      Promise.all(
        Array.from({ length: 60 }, () =>
          repositoryOf(Counter, manager).updateOrCreate({ path }, ({ hits }) => ({ hits: hits + 1 }), {
            createDefaults: { hits: 1 },
          }),
        ),
      ),
    )
    expect(await stored(Counter, { path })).toMatchObject({ hits: 60, version: 60 })
  })
})

describe('what is sent', () => {
  test('for a change of columns at most BEGIN, SELECT with a lock, UPDATE, COMMIT', async () => {
    const email = newKey()
    await repositoryOf(User).save({ email, name: 'N' })
    const sent = await db.statements.of(() => repositoryOf(User).updateOrCreate({ email }, { hits: 8, name: 'M' }))
    expect(words(sent)).toEqual(['BEGIN', 'SELECT', 'UPDATE', 'COMMIT'])
    if (database.locks) expect(sent[1]).toMatch(/FOR UPDATE/)
  })

  test('for a change that a function makes the same', async () => {
    const email = newKey()
    await repositoryOf(User).save({ email, name: 'N' })
    const call = () => repositoryOf(User).updateOrCreate({ email }, ({ hits }) => ({ hits: hits + 1, handle: email }))
    expect(await kinds(call)).toEqual(['BEGIN', 'SELECT', 'UPDATE', 'COMMIT'])
  })

  test('without a change no UPDATE', async () => {
    const email = newKey()
    await repositoryOf(User).save({ email, name: 'N' })
    expect(await kinds(() => repositoryOf(User).updateOrCreate({ email }, { name: 'N' }))).toEqual([
      'BEGIN',
      'SELECT',
      'COMMIT',
    ])
  })

  test('for an update that fails a ROLLBACK at the end', async () => {
    const email = newKey()
    await repositoryOf(User).save({ email, name: 'N' })
    expect(await kinds(() => failureOf(repositoryOf(User).updateOrCreate({ email }, throwing)))).toEqual([
      'BEGIN',
      'SELECT',
      'ROLLBACK',
    ])
  })

  test('in a transaction of the caller no transaction and no savepoint', async () => {
    const email = newKey()
    await repositoryOf(User).save({ email, name: 'N' })
    await db.dataSource.transaction(async (manager) => {
      const sent = await kinds(() => repositoryOf(User, manager).updateOrCreate({ email }, { name: 'M' }))
      expect(sent.filter((kind) => kind !== 'SELECT')).toEqual(['UPDATE'])
    })
  })
})

test('createDefaults are made while no connection is held: a pool of one is enough', async () => {
  const { dataSource } = database.hasConnections ? await db.connect({ poolSize: 1 }) : db
  const path = newKey()
  const counters = withGetOrCreate(dataSource.getRepository(Counter))
  const call = () =>
    counters.updateOrCreate({ path }, ({ hits }) => ({ hits: hits + 1 }), {
      createDefaults: async () => ({ hits: (await counters.countBy({ path })) + 1 }),
    })
  expect((await Promise.all([call(), call()])).map(([{ hits }]) => hits).sort()).toEqual([1, 2])
})

test('createDefaults are made while no connection is held also for criteria that no key covers', async () => {
  const { dataSource } = database.hasConnections ? await db.connect({ poolSize: 1 }) : db
  const [path, other] = [newKey(), newKey()]
  const counters = withGetOrCreate(dataSource.getRepository(Counter), { uniqueness: 'ignore' })
  const createDefaults = async () => ({ hits: (await counters.countBy({ path })) + 1 })
  const [changed] = await counters.updateOrCreate({ path }, { path: other }, { createDefaults })
  const [found] = await counters.updateOrCreate([{ path }, { path: other }], { hits: 5 }, { createDefaults })
  const [created] = await counters.updateOrCreate({ path: Like(path) }, { path }, { createDefaults })
  expect([changed, found, created]).toMatchObject([{ path: other, hits: 1 }, { hits: 5 }, { path, hits: 1 }])
})

test('what was updated in a transaction of the caller goes with its rollback', async () => {
  const path = newKey()
  await repositoryOf(Counter).save({ path, hits: 1 })
  const call = db.dataSource.transaction(async (manager) => {
    await repositoryOf(Counter, manager).updateOrCreate({ path }, { hits: 2 })
    throw thrown
  })
  expect(await failureOf(call)).toBe(thrown)
  expect(await repositoryOf(Counter).findOneByOrFail({ path })).toMatchObject({ hits: 1, version: 1 })
})

test('it may be called in a nested transaction that is rolled back alone', async () => {
  const [kept, undone] = [newKey(), newKey()]
  await repositoryOf(Counter).save([{ path: kept }, { path: undone }])
  await db.dataSource.transaction(async (manager) => {
    await repositoryOf(Counter, manager).updateOrCreate({ path: kept }, { hits: 1 })
    const nested = manager.transaction(async (inner) => {
      await repositoryOf(Counter, inner).updateOrCreate({ path: undone }, { hits: 1 })
      throw thrown
    })
    await failureOf(nested)
  })
  expect(await repositoryOf(Counter).findOneByOrFail({ path: kept })).toMatchObject({ hits: 1 })
  expect(await repositoryOf(Counter).findOneByOrFail({ path: undone })).toMatchObject({ hits: 0 })
})

describe('the loser of a race to create', () => {
  const beaten = async (updates: DeepPartial<Counter> | ((current: Counter) => DeepPartial<Counter>)) => {
    const path = newKey()
    const insert = stopBefore(db.dataSource, /^INSERT INTO .counter\b/)
    const createDefaults = jest.fn(() => ({ hits: 1 }))
    const call = repositoryOf(Counter).updateOrCreate({ path }, updates, { createDefaults })
    await insert.reached
    await rival.act((other) => other.query(`INSERT INTO counter (path, hits, version) VALUES ('${path}', 40, 1)`))
    insert.pass()
    const [counter, created] = await call
    expect(created).toBe(false)
    expect(createDefaults).toHaveBeenCalledTimes(1)
    expect(await repositoryOf(Counter).findOneByOrFail({ path })).toEqual(counter)
    return counter
  }

  test('applies its update once, to the fresh row of the winner', async () => {
    const updates = jest.fn(({ hits }: Counter) => ({ hits: hits + 1 }))
    expect(await beaten(updates)).toMatchObject({ hits: 41, version: 2 })
    expect(updates).toHaveBeenCalledTimes(1)
    expect(updates.mock.calls[0]?.[0]).toMatchObject({ hits: 40 })
  })

  test('applies updates that are an object, and none of its createDefaults', async () => {
    expect(await beaten({ hits: 50 })).toMatchObject({ hits: 50, version: 2 })
  })

  test('creates the row when the winner deleted it before it could be locked, from createDefaults that ran once', async () => {
    const path = newKey()
    const createDefaults = jest.fn(() => ({ hits: 1 }))
    const insert = stopBefore(db.dataSource, /^INSERT INTO .counter\b/)
    const call = repositoryOf(Counter).updateOrCreate({ path }, { hits: 2 }, { createDefaults })
    await insert.reached
    await rival.act((other) => other.query(`INSERT INTO counter (path, hits, version) VALUES ('${path}', 40, 1)`))
    const begin = stopBefore(db.dataSource, /^(BEGIN|START)/)
    insert.pass()
    await begin.reached
    await rival.act((other) => other.delete(Counter, { path }))
    begin.pass()
    expect(await call).toEqual([await repositoryOf(Counter).findOneByOrFail({ path, hits: 1 }), true])
    expect(createDefaults).toHaveBeenCalledTimes(1)
  })

  test('creates the row when the winner has deleted it again', async () => {
    const path = newKey()
    const insert = stopBefore(db.dataSource, /^INSERT INTO .counter\b/)
    const call = repositoryOf(Counter).updateOrCreate({ path }, { hits: 2 })
    await insert.reached
    await rival.act((other) => other.query(`INSERT INTO counter (path, hits, version) VALUES ('${path}', 40, 1)`))
    const read = stopBefore(db.dataSource, /^SELECT .* FROM .counter\b/)
    insert.pass()
    await read.reached
    await rival.act((other) => other.delete(Counter, { path }))
    read.pass()
    expect(await call).toEqual([await repositoryOf(Counter).findOneByOrFail({ path }), true])
  })
})

const TIMES = 50
const PROCESSES = 4
const where = database.isSharedByProcesses ? `${PROCESSES} processes` : 'one process'

test(`${PROCESSES} x ${TIMES} increments in ${where} end in exactly ${PROCESSES * TIMES}`, async () => {
  const path = newKey()
  const orders = Array.from({ length: PROCESSES }, () => ({ path, times: TIMES }))
  const errors = database.isSharedByProcesses
    ? await inProcesses<string[]>(db, 'increment-worker.ts', orders)
    : await Promise.all(orders.map(({ times }) => countVisits(db.dataSource, path, times)))
  expect(errors.flat()).toEqual([])
  expect(await repositoryOf(Counter).findOneByOrFail({ path })).toMatchObject({ hits: 200, version: 200 })
})

if (database.hasConnections) {
  describe('in a transaction of the caller that has read before', () => {
    /** Most levels above READ COMMITTED read from then on what was there at this moment. */
    const inOldTransaction = <T>(
      meanwhile: (other: EntityManager) => Promise<unknown>,
      work: (manager: EntityManager) => Promise<T>,
    ) =>
      db.dataSource.transaction(async (manager) => {
        await manager.find(Team)
        await rival.act(meanwhile)
        return work(manager)
      })

    const increment = (manager: EntityManager, path: string) =>
      repositoryOf(Counter, manager).updateOrCreate({ path }, ({ hits }) => ({ hits: hits + 1 }))

    test('the update is made from the row as it is now, not as it was', async () => {
      const path = newKey()
      await repositoryOf(Counter).save({ path, hits: 1 })
      const [counter] = await inOldTransaction(
        (other) => other.update(Counter, { path }, { hits: 10 }),
        (manager) => increment(manager, path),
      )
      expect(counter.hits).toBe(11)
      expect(await repositoryOf(Counter).findOneByOrFail({ path })).toEqual(counter)
    })

    test('a change back to what it was is a change', async () => {
      const path = newKey()
      await repositoryOf(Counter).save({ path, hits: 1 })
      await inOldTransaction(
        (other) => other.update(Counter, { path }, { hits: 10 }),
        (manager) => repositoryOf(Counter, manager).updateOrCreate({ path }, { hits: 1 }),
      )
      expect(await repositoryOf(Counter).findOneByOrFail({ path })).toMatchObject({ hits: 1 })
    })

    test('a relation that is changed back to what it was is changed', async () => {
      const email = newKey()
      await repositoryOf(User).save({ email, name: 'N', team })
      await inOldTransaction(
        (other) => other.update(User, { email }, { team: otherTeam }),
        (manager) => repositoryOf(User, manager).updateOrCreate({ email }, { team: { id: team.id } }),
      )
      expect(await repositoryOf(User).countBy({ email, team: { id: team.id } })).toBe(1)
    })

    test('a row that was created since is updated', async () => {
      const path = newKey()
      const [counter, created] = await inOldTransaction(
        (other) => other.save(other.create(Counter, { path, hits: 10 })),
        (manager) => increment(manager, path),
      )
      expect([counter.hits, created]).toEqual([11, false])
    })
  })
}

if (database.locks) {
  describe('locks', () => {
    test('the row is locked before the function runs and until the commit', async () => {
      const path = newKey()
      await repositoryOf(Counter).save({ path, hits: 1 })
      const [observer, other] = await Promise.all([observe(db), joinDuel(db)])
      let theirs: Promise<unknown> = Promise.resolve()
      const [counter] = await repositoryOf(Counter).updateOrCreate({ path }, async ({ hits }) => {
        theirs = other.dataSource.manager.increment(Counter, { path }, 'hits', 10)
        await observer.untilSettledOrWaiting(theirs, other)
        return { hits: hits + 1 }
      })
      await theirs
      expect(counter.hits).toBe(2)
      expect(await repositoryOf(Counter).findOneByOrFail({ path })).toMatchObject({ hits: 12 })
    })

    test('who comes to the row later has a later update date, also when it began earlier', async () => {
      const path = newKey()
      await repositoryOf(Counter).save({ path })
      const you = await joinDuel(db)
      const select = stopBefore(you.dataSource, /^SELECT .* FROM .counter\b/)
      const call = repositoryOf(Counter, you.dataSource.manager).updateOrCreate({ path }, { hits: 100 })
      await select.reached
      let last: Counter | undefined
      for (let hits = 1; hits <= 10; hits++) {
        ;[last] = await repositoryOf(Counter).updateOrCreate({ path }, { hits })
      }
      select.pass()
      const [counter] = await call
      expect(counter.updatedAt.getTime()).toBeGreaterThanOrEqual(last?.updatedAt.getTime() as number)
    })

    test('who waits for the row gets it as it is then, with a later update date', async () => {
      const path = newKey()
      await repositoryOf(Counter).save({ path, hits: 1 })
      const [observer, you, other] = await Promise.all([observe(db), joinDuel(db), joinDuel(db)])
      let call: Promise<[Counter, boolean]> | undefined
      const theirs = await other.dataSource.transaction(async (manager) => {
        await manager.increment(Counter, { path }, 'hits', 0)
        call = repositoryOf(Counter, you.dataSource.manager).updateOrCreate({ path }, ({ hits }) => ({
          hits: hits + 1,
        }))
        await observer.untilSettledOrWaiting(call, you)
        const [counter] = await repositoryOf(Counter, manager).updateOrCreate({ path }, { hits: 10 })
        return counter
      })
      const [counter] = (await call) as [Counter, boolean]
      expect(counter.hits).toBe(11)
      expect(counter.updatedAt.getTime()).toBeGreaterThanOrEqual(theirs.updatedAt.getTime())
    })

    test('a deadlock outside a transaction of the caller runs the function again, and the update is applied once', async () => {
      await prepareDeadlocks(db.dataSource)
      const path = newKey()
      await repositoryOf(Counter).save({ path, hits: 1 })
      const [observer, other] = await Promise.all([observe(db), joinDuel(db)])
      const slug = newKey()
      await repositoryOf(Story).save({ slug, title: 'old' })
      during = ({ manager }) => dieInDeadlock(manager, other.dataSource, observer)
      const updates = jest.fn(({ title }: Story) => ({ title: `${title}!` }))
      const [story] = await repositoryOf(Story).updateOrCreate({ slug }, updates)
      expect(updates).toHaveBeenCalledTimes(2)
      expect(story).toMatchObject({ title: 'old!', version: 2 })
      expect(await repositoryOf(Story).findOneByOrFail({ slug })).toEqual(story)
    })

    test('a deadlock inside a transaction of the caller is passed on', async () => {
      const [observer, other] = await Promise.all([observe(db), joinDuel(db)])
      const slug = newKey()
      await repositoryOf(Story).save({ slug, title: 'old' })
      during = ({ manager }) => dieInDeadlock(manager, other.dataSource, observer)
      const updates = jest.fn(() => ({ title: 'new' }))
      const call = db.dataSource.transaction((manager) =>
        repositoryOf(Story, manager).updateOrCreate({ slug }, updates),
      )
      expect(isTransientFailure(await failureOf(call))).toBe(true)
      expect(updates).toHaveBeenCalledTimes(1)
      expect(await repositoryOf(Story).findOneByOrFail({ slug })).toMatchObject({ title: 'old', version: 1 })
    })
  })
}
