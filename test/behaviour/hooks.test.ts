import {
  AfterInsert,
  BeforeInsert,
  Column,
  Entity,
  type EntityManager,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  ManyToOne,
  PrimaryGeneratedColumn,
} from 'typeorm'
import { isUniqueViolation, withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'
import { surroundings } from '../surroundings.js'

/** What ran, in order. */
let events: string[] = []
/** What a subscriber does beside noting the event; a test sets it. */
let during: {
  beforeInsert?: (event: InsertEvent<Page>) => unknown
  afterInsert?: (event: InsertEvent<Page>) => unknown
} = {}

@Entity()
class Page {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  path!: string

  @Column({ type: 'varchar', length: 40, unique: true, nullable: true })
  short!: string | null

  @Column({ type: 'varchar', length: 80, nullable: true })
  title!: string | null

  @Column({ default: 7 })
  rank!: number

  @BeforeInsert()
  before() {
    events.push('BeforeInsert')
    this.title = `${this.title ?? ''}, by listener`
  }

  @AfterInsert()
  after() {
    events.push(`AfterInsert id ${typeof this.id} rank ${this.rank}`)
  }
}

@Entity()
class Audit {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 60 })
  note!: string
}

@EventSubscriber()
class PageSubscriber implements EntitySubscriberInterface<Page> {
  listenTo() {
    return Page
  }

  async beforeInsert(event: InsertEvent<Page>) {
    events.push('beforeInsert')
    event.entity.title = `${event.entity.title}, by subscriber`
    await during.beforeInsert?.(event)
  }

  async afterInsert(event: InsertEvent<Page>) {
    events.push(`afterInsert id ${typeof event.entity.id} rank ${event.entity.rank}`)
    await during.afterInsert?.(event)
  }

  afterLoad(page: Page) {
    events.push(`afterLoad ${page.path}`)
  }
}

@Entity()
class Author {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 40 })
  name!: string
}

/** Its creation takes a transaction, because the author is created with it. */
@Entity()
class Book {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  title!: string

  @ManyToOne(() => Author, { cascade: true })
  author!: Author
}

@EventSubscriber()
class BookSubscriber implements EntitySubscriberInterface<Book> {
  listenTo() {
    return Book
  }

  async afterInsert({ manager }: InsertEvent<Book>) {
    events.push('afterInsert')
    await manager.insert(Audit, { note: TAKEN })
  }
}

const TAKEN = 'taken'

const pagesOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Page))
const booksOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Book))
const auditsOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Audit))

let db: OpenDatabase
let rival: Rival
let paths = 0
let path: string

beforeAll(async () => {
  db = await openDatabase([Page, Audit, Author, Book], { subscribers: [PageSubscriber, BookSubscriber] })
  await db.dataSource.manager.insert(Audit, { note: TAKEN })
  rival = await openRival(db)
})
beforeEach(() => {
  events = []
  during = {}
  paths += 1
  path = `/page/${paths}`
})
afterAll(() => db.close())

/** The winner's row, without events: where there is one connection, its subscribers are ours. */
const rivalInserts = (values: object) =>
  rival.act((other) =>
    other.createQueryBuilder().insert().into(Page).values(values).callListeners(false).updateEntity(false).execute(),
  )

describe.each(surroundings)('%s', (_where, within) => {
  test('BeforeInsert, in the entity and in a subscriber, may change what is stored', async () => {
    const [page] = await within(db.dataSource, (manager) => pagesOf(manager).getOrCreate({ path }, { title: 'T' }))

    expect(page.title).toBe('T, by listener, by subscriber')
    expect(await db.dataSource.getRepository(Page).findOneBy({ path })).toEqual(page)
  })

  test('hooks run once each around an insert, and those after it know the id and what the database generated', async () => {
    await within(db.dataSource, (manager) => pagesOf(manager).getOrCreate({ path }))

    expect(events.filter((event) => !event.startsWith('afterLoad')).sort()).toEqual([
      'AfterInsert id number rank 7',
      'BeforeInsert',
      'afterInsert id number rank 7',
      'beforeInsert',
    ])
    expect(events.filter((event) => event.startsWith('afterLoad'))).toEqual([`afterLoad ${path}`])
  })

  test('no hook of an insert runs on a hit', async () => {
    await rivalInserts({ path })
    await within(db.dataSource, (manager) => pagesOf(manager).getOrCreate({ path }))

    expect(events).toEqual([`afterLoad ${path}`])
  })

  test('a loser ran BeforeInsert once, and nothing that follows an insert', async () => {
    const [page, created] = await within(db.dataSource, (manager) =>
      pagesOf(manager).getOrCreate({ path }, async () => {
        await rivalInserts({ path, title: 'winner' })
        return { title: 'loser' }
      }),
    )

    expect([page.title, created]).toEqual(['winner', false])
    expect(events.sort()).toEqual(['BeforeInsert', `afterLoad ${path}`, 'beforeInsert'])
  })

  test('a rival may win while BeforeInsert runs', async () => {
    during.beforeInsert = () => rivalInserts({ path, title: 'winner' })
    const [page, created] = await within(db.dataSource, (manager) => pagesOf(manager).getOrCreate({ path }))

    expect([page.title, created]).toEqual(['winner', false])
    expect(events.sort()).toEqual(['BeforeInsert', `afterLoad ${path}`, 'beforeInsert'])
  })

  test('BeforeInsert ran once, and nothing that follows an insert, when another unique key is taken', async () => {
    const short = `s${paths}`
    await rivalInserts({ path: `${path}/other`, short })
    const failure = await within(db.dataSource, (manager) =>
      failureOf(pagesOf(manager).getOrCreate({ path }, { short })),
    )

    expect(isUniqueViolation(failure)).toBe(true)
    expect(events.sort()).toEqual(['BeforeInsert', 'beforeInsert'])
  })

  test('a hook before the insert may itself get or create, on the manager of its event', async () => {
    const note = `before ${path}`
    during.beforeInsert = ({ manager }) => auditsOf(manager).getOrCreate({ note })
    const [, created] = await within(db.dataSource, (manager) => pagesOf(manager).getOrCreate({ path }))

    expect(created).toBe(true)
    expect(await db.dataSource.getRepository(Audit).countBy({ note })).toBe(1)
  })

  test('a hook after the insert may itself get or create, and finds the row that was inserted', async () => {
    const note = `after ${path}`
    let seen: unknown
    during.afterInsert = async ({ manager }) => {
      await auditsOf(manager).getOrCreate({ note })
      seen = await pagesOf(manager).getOrCreate({ path })
    }
    const [page] = await within(db.dataSource, (manager) => pagesOf(manager).getOrCreate({ path }))

    expect(await db.dataSource.getRepository(Audit).countBy({ note })).toBe(1)
    expect(seen).toEqual([page, false])
  })

  test('hooks of several calls at once may all get or create', async () => {
    const note = `shared ${path}`
    during.beforeInsert = ({ manager }) => auditsOf(manager).getOrCreate({ note })
    const results = await within(db.dataSource, (manager) =>
      Promise.all([1, 2, 3].map((n) => pagesOf(manager).getOrCreate({ path: `${path}/${n}` }))),
    )

    expect(results.map(([, created]) => created)).toEqual([true, true, true])
    expect(await db.dataSource.getRepository(Audit).countBy({ note })).toBe(1)
  })

  test('an error of a hook before the insert is passed on, and nothing is stored', async () => {
    const refusal = new Error('no pages today')
    during.beforeInsert = () => Promise.reject(refusal)
    const failure = await within(db.dataSource, (manager) => failureOf(pagesOf(manager).getOrCreate({ path })))

    expect(failure).toBe(refusal)
    expect(await db.dataSource.getRepository(Page).countBy({ path })).toBe(0)
  })
})

describe.each(surroundings)('%s, a unique violation of a hook after the insert', (_where, within) => {
  test('is its own, and no lost race', async () => {
    during.afterInsert = ({ manager }) => manager.insert(Audit, { note: TAKEN })
    const failure = await within(db.dataSource, (manager) => failureOf(pagesOf(manager).getOrCreate({ path })))

    expect(isUniqueViolation(failure)).toBe(true)
    expect(events.filter((event) => event.startsWith('afterInsert'))).toHaveLength(1)
  })

  test('is its own, and takes back what was created with the row', async () => {
    const failure = await within(db.dataSource, (manager) =>
      failureOf(booksOf(manager).getOrCreate({ title: path }, { author: { name: path } })),
    )

    expect(isUniqueViolation(failure)).toBe(true)
    expect(events).toEqual(['afterInsert'])
    expect(await db.dataSource.manager.countBy(Book, { title: path })).toBe(0)
    expect(await db.dataSource.manager.countBy(Author, { name: path })).toBe(0)
  })
})

test('of many callers at once, the hooks after an insert ran for the one that created', async () => {
  const results = await Promise.all(
    Array.from({ length: 10 }, () => pagesOf(db.dataSource.manager).getOrCreate({ path })),
  )

  expect(results.filter(([, created]) => created)).toHaveLength(1)
  expect(events.filter((event) => event.startsWith('AfterInsert'))).toHaveLength(1)
  expect(events.filter((event) => event.startsWith('afterInsert'))).toHaveLength(1)
})

test('getOrBuild runs no hook of an insert', async () => {
  await pagesOf(db.dataSource.manager).getOrBuild({ path })

  expect(events).toEqual([])
})
