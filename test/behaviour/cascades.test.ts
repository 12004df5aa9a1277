import type { DeepPartial, EntityManager } from 'typeorm'
import { InvalidValuesError, isUniqueViolation, withGetOrCreate } from '../../src/index.js'
import { Agency, Album, Artist, Cover, cascadeEntities, Genre, Publisher, Track, Venue } from '../cascade-entities.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'
import { surroundings } from '../surroundings.js'

const albumsOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Album))
const venuesOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Venue))

const everything = {
  artist: { agency: true },
  publisher: true,
  resellers: true,
  genres: true,
  tracks: { guest: true },
  cover: true,
} as const

let db: OpenDatabase
let rival: Rival
let titles = 0
let title: string

beforeAll(async () => {
  db = await openDatabase(cascadeEntities)
  rival = await openRival(db)
})
beforeEach(() => {
  titles += 1
  title = `album ${titles}`
})
afterAll(() => db.close())

const stored = () => db.dataSource.getRepository(Album).findOneOrFail({ where: { title }, relations: everything })

async function rowsOf(...targets: (new () => object)[]): Promise<number[]> {
  return Promise.all(targets.map((target) => db.dataSource.getRepository(target).count()))
}

const everyTable = () => rowsOf(Agency, Artist, Genre, Album, Track, Cover, Venue)

/** Values that take a row in every table. */
const allOfIt = (): DeepPartial<Album> => ({
  artist: { name: `artist of ${title}`, agency: { name: `agency of ${title}` } },
  genres: [{ name: `genre of ${title}` }],
  tracks: [
    { position: 1, name: 'one' },
    { position: 2, name: 'two', guest: { name: `guest of ${title}` } },
  ],
  cover: { picture: 'blue' },
})

describe.each(surroundings)('%s', (_where, within) => {
  const getOrCreate = (defaults: DeepPartial<Album> | (() => Promise<DeepPartial<Album>>), options = {}) =>
    within(db.dataSource, (manager) => albumsOf(manager).getOrCreate({ title }, defaults, options))

  test('new parents are stored with the row, and theirs with them', async () => {
    const [, created] = await getOrCreate({ artist: { name: 'A', agency: { name: `agency ${title}` } } })

    expect(created).toBe(true)
    expect((await stored()).artist).toMatchObject({ name: 'A', agency: { name: `agency ${title}` } })
  })

  test('a parent that exists is linked and, where only inserts cascade, not written to', async () => {
    const artist = await db.dataSource.manager.save(Artist, { name: 'as it was' })
    await getOrCreate({ artist: { id: artist.id, name: 'changed' } })

    expect((await stored()).artist).toMatchObject({ id: artist.id, name: 'as it was' })
  })

  test('new and existing ends of a many-to-many relation are linked', async () => {
    const rock = await db.dataSource.manager.save(Genre, { name: `rock ${title}` })
    await getOrCreate({ genres: [{ id: rock.id }, { name: `folk ${title}` }] })

    expect((await stored()).genres.map(({ name }) => name).sort()).toEqual([`folk ${title}`, `rock ${title}`])
  })

  test('existing ends of a many-to-many relation that does not cascade are linked', async () => {
    const publisher = await db.dataSource.manager.save(Publisher, { name: 'P' })
    await getOrCreate({ resellers: [publisher] })

    expect((await stored()).resellers).toEqual([publisher])
  })

  test('children are stored, with what cascades from them', async () => {
    await getOrCreate({
      tracks: [
        { position: 1, name: 'one' },
        { position: 2, name: 'two', guest: { name: 'G', agency: { name: `agency ${title}` } } },
      ],
    })

    const tracks = (await stored()).tracks.sort((a, b) => a.position - b.position)
    expect(tracks).toMatchObject([
      { name: 'one', guest: null },
      { name: 'two', guest: { name: 'G' } },
    ])
  })

  test('the other side of a one-to-one relation is stored', async () => {
    await getOrCreate({ cover: { picture: 'blue' } })

    expect((await stored()).cover).toMatchObject({ picture: 'blue' })
  })

  test('the created entity equals what a read with these relations returns', async () => {
    const [created] = await getOrCreate(allOfIt(), { relations: everything })

    const inOrder = (album: Album) => ({ ...album, tracks: [...album.tracks].sort((a, b) => a.position - b.position) })
    expect(created).toBeInstanceOf(Album)
    expect(inOrder(created)).toStrictEqual(inOrder(await stored()))
  })

  test('the created entity has none of these relations unless they are asked for', async () => {
    const [created] = await getOrCreate(allOfIt())

    expect(created).toStrictEqual(await db.dataSource.getRepository(Album).findOneBy({ title }))
  })

  test('a hit stores nothing of the defaults', async () => {
    await getOrCreate(allOfIt())
    const before = await everyTable()
    const [, created] = await getOrCreate(allOfIt())

    expect(created).toBe(false)
    expect(await everyTable()).toEqual(before)
  })

  test('the defaults stay as they were given, entities among them too', async () => {
    const given = {
      ...allOfIt(),
      artist: Object.assign(new Artist(), { name: 'mine', agency: { name: `mine ${title}` } }),
    }
    const before = structuredClone({ ...given, artist: { ...given.artist } })
    await getOrCreate(given)

    expect({ ...given, artist: { ...given.artist } }).toEqual(before)
  })

  test('when a child cannot be stored nothing is, and the error is the database’s own', async () => {
    const before = await everyTable()
    const failure = await within(db.dataSource, (manager) =>
      failureOf(
        albumsOf(manager).getOrCreate(
          { title },
          {
            ...allOfIt(),
            tracks: [
              { position: 1, name: 'one' },
              { position: 1, name: 'again' },
            ],
          },
        ),
      ),
    )

    expect(isUniqueViolation(failure)).toBe(true)
    expect(await everyTable()).toEqual(before)
  })

  test('when a child lacks a value nothing is stored, and what the caller stored before and after is', async () => {
    const before = await everyTable()
    const failure = await within(db.dataSource, async (manager) => {
      await manager.insert(Publisher, { name: `before ${title}` })
      const error = await failureOf(
        albumsOf(manager).getOrCreate({ title }, { ...allOfIt(), cover: { picture: null as never } }),
      )
      await manager.insert(Publisher, { name: `after ${title}` })
      return error
    })

    expect(failure).toMatchObject({ name: 'QueryFailedError' })
    expect(isUniqueViolation(failure)).toBe(false)
    expect(await everyTable()).toEqual(before)
    expect(await db.dataSource.getRepository(Publisher).countBy({ name: `before ${title}` })).toBe(1)
    expect(await db.dataSource.getRepository(Publisher).countBy({ name: `after ${title}` })).toBe(1)
  })

  test('a lost race leaves no orphans, and the winner’s row as it was', async () => {
    const before = await rowsOf(Agency, Artist, Genre, Track, Cover)
    const [album, created] = await getOrCreate(async () => {
      await rival.act((other) => other.insert(Album, { title, stars: 5 }))
      return { ...allOfIt(), stars: 1 }
    })

    expect([created, album.stars]).toEqual([false, 5])
    expect(await stored()).toMatchObject({ stars: 5, artist: null, genres: [], tracks: [], cover: null })
    expect(await rowsOf(Agency, Artist, Genre, Track, Cover)).toEqual(before)
  })

  test('a race that is lost with the primary key in the criteria overwrites nothing', async () => {
    const before = await rowsOf(Agency, Artist)
    const [venue, created] = await within(db.dataSource, (manager) =>
      venuesOf(manager).getOrCreate({ code: title }, async () => {
        await rival.act((other) => other.insert(Venue, { code: title, name: 'winner' }))
        return { name: 'loser', owner: { name: 'orphan', agency: { name: `orphan ${title}` } } }
      }),
    )

    expect([created, venue.name]).toEqual([false, 'winner'])
    expect(
      await venuesOf(db.dataSource.manager).findOne({ where: { code: title }, relations: { owner: true } }),
    ).toMatchObject({ name: 'winner', owner: null })
    expect(await rowsOf(Agency, Artist)).toEqual(before)
  })

  test('a race that is lost with a chosen generated id in the criteria overwrites nothing', async () => {
    const id = titles * 1_000_000
    const before = await rowsOf(Artist, Track)
    const [album, created] = await within(db.dataSource, (manager) =>
      albumsOf(manager).getOrCreate({ id }, async () => {
        await rival.act((other) =>
          other
            .createQueryBuilder()
            .insert()
            .into(Album, ['id', 'title'])
            .values({ id, title })
            .updateEntity(false)
            .execute(),
        )
        return { title: 'loser', artist: { name: 'orphan' }, tracks: [{ position: 1, name: 'orphan' }] }
      }),
    )

    expect([created, album.title]).toEqual([false, title])
    expect(await rowsOf(Artist, Track)).toEqual(before)
  })

  test('a chosen generated id is kept, for the row and for what refers to it', async () => {
    const id = titles * 1_000_000
    const [album, created] = await within(db.dataSource, (manager) =>
      albumsOf(manager).getOrCreate({ id }, { title, ...allOfIt() }),
    )

    expect([created, album.id]).toEqual([true, id])
    expect(await stored()).toMatchObject({ id, artist: { name: `artist of ${title}` }, cover: { picture: 'blue' } })
    expect((await stored()).tracks).toHaveLength(2)
  })

  test('create-first stores the same, and finds what is there', async () => {
    const [, created] = await getOrCreate(allOfIt(), { strategy: 'create-first' })
    const after = await everyTable()
    const [, createdAgain] = await getOrCreate(allOfIt(), { strategy: 'create-first' })

    expect([created, createdAgain]).toEqual([true, false])
    expect(await stored()).toMatchObject({ artist: { agency: { name: `agency of ${title}` } } })
    expect(await everyTable()).toEqual(after)
  })

  test('of several calls at once on one manager, one creates and nothing is stored twice', async () => {
    const before = await rowsOf(Artist, Track)
    const results = await within(db.dataSource, (manager) =>
      Promise.all(
        [1, 2, 3].map((n) =>
          albumsOf(manager).getOrCreate({ title }, { artist: { name: `${n}` }, tracks: [{ position: n, name: 'x' }] }),
        ),
      ),
    )

    expect(results.filter(([, created]) => created)).toHaveLength(1)
    expect(new Set(results.map(([album]) => album.id)).size).toBe(1)
    expect(await rowsOf(Artist, Track)).toEqual(before.map((count) => count + 1))
  })

  test.each([
    ['a new parent', { publisher: { name: 'new' } }],
    ['a new end of a many-to-many relation', { resellers: [{ name: 'new' }] }],
  ])('%s on a relation that does not cascade is refused before any SQL', async (_what, defaults) => {
    await within(db.dataSource, async (manager) => {
      const sent = await db.statements.of(async () => {
        const failure = await failureOf(albumsOf(manager).getOrCreate({ title }, defaults))
        expect(failure).toBeInstanceOf(InvalidValuesError)
        expect(failure.message).toContain(`defaults.${Object.keys(defaults)[0]}`)
      })
      expect(sent).toEqual([])
    })
    expect(await db.dataSource.getRepository(Album).countBy({ title })).toBe(0)
  })
})

test('a transaction is opened for what cascades, and for nothing else', async () => {
  const opens = (sent: string[]) => sent.filter((sql) => /^(START|BEGIN)/i.test(sql)).length
  const albums = albumsOf(db.dataSource.manager)

  const plain = await db.statements.of(() => albums.getOrCreate({ title }, { stars: 2 }))
  const cascading = await db.statements.of(() => albums.getOrCreate({ title: `${title} too` }, allOfIt()))
  expect([opens(plain), opens(cascading)]).toEqual([0, 1])
})

test('the whole of it goes with the caller’s transaction', async () => {
  const before = await everyTable()
  const undone = new Error('undone')
  const failure = await failureOf(
    db.dataSource.transaction(async (manager) => {
      await albumsOf(manager).getOrCreate({ title }, allOfIt())
      throw undone
    }),
  )

  expect(failure).toBe(undone)
  expect(await everyTable()).toEqual(before)
})

test('of many callers at once, one stores its cascades', async () => {
  const before = await rowsOf(Artist, Cover)
  const callers = Array.from({ length: database.hasConnections ? 8 : 4 }, (_, n) => n)
  const results = await Promise.all(
    callers.map((n) =>
      albumsOf(db.dataSource.manager).getOrCreate({ title }, { artist: { name: `${n}` }, cover: { picture: `${n}` } }),
    ),
  )

  expect(results.filter(([, created]) => created)).toHaveLength(1)
  expect(await rowsOf(Artist, Cover)).toEqual(before.map((count) => count + 1))
})
