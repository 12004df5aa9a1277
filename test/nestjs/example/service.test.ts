import type { INestApplication } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { getDataSourceToken } from '@nestjs/typeorm'
import { AppModule } from '../../../examples/nestjs/app.module.js'
import { Post, Tag, User } from '../../../examples/nestjs/entities.js'
import { type OpenDatabase, openDatabase } from '../../databases.js'
import { stopBefore } from '../../duel.js'
import { openRival } from '../../rival.js'

const REQUESTS = 100

let database: OpenDatabase
let app: INestApplication
let url: string

beforeAll(async () => {
  database = await openDatabase([User, Post, Tag])
  const module = Test.createTestingModule({ imports: [AppModule] })
  module.overrideProvider(getDataSourceToken()).useValue(database.dataSource)
  app = (await module.compile()).createNestApplication()
  await app.listen(0, '127.0.0.1')
  url = await app.getUrl()
})
afterAll(async () => {
  await app?.close()
  await database?.close()
})

async function get<T>(path: string): Promise<T> {
  return (await fetch(`${url}/${path}`)).json() as Promise<T>
}

async function send(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: await response.json() }
}

function sendAtOnce(path: string, bodyOf: (request: number) => unknown) {
  return Promise.all(Array.from({ length: REQUESTS }, (_, request) => send(path, bodyOf(request))))
}

const oneCreatedOthersFound = [...Array(REQUESTS - 1).fill(200), 201]

test('100 sign-ups with one e-mail address at once leave one user, and everyone gets it', async () => {
  const answers = await sendAtOnce('users', (request) => ({ email: 'ada@example.com', name: `Ada ${request}` }))
  const users = await get<User[]>('users')

  expect(answers.map(({ status }) => status).sort()).toEqual(oneCreatedOthersFound)
  expect(users.map(({ email }) => email)).toEqual(['ada@example.com'])
  for (const { body } of answers) expect(body).toEqual(users[0])
})

test('a sign-up elsewhere, after one has looked and before it inserts, is found by that one and by 100 more', async () => {
  const bob = { email: 'bob@example.com', name: 'Bob' }
  const rival = await openRival(database)
  const insert = stopBefore(database.dataSource, /^INSERT INTO .user/i)
  const overtaken = send('users', { ...bob, name: 'too late' })
  await insert.reached
  await rival.act((manager) => manager.insert(User, { ...bob }))
  insert.pass()
  const answers = [await overtaken, ...(await sendAtOnce('users', () => bob))]

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  for (const { body } of answers) expect(body).toEqual({ id: expect.any(Number), ...bob })
  expect((await get<User[]>('users')).filter(({ email }) => email === bob.email)).toHaveLength(1)
})

test('one post published 100 times at once is one post, with its tags', async () => {
  const answers = await sendAtOnce('posts', () => ({ slug: 'once', title: 'Once', tags: ['one', 'two'] }))
  const posts = (await get<Post[]>('posts')).filter(({ slug }) => slug === 'once')

  expect(answers.map(({ status }) => status).sort()).toEqual(oneCreatedOthersFound)
  expect(posts.map(({ tags }) => tags.map(({ label }) => label).sort())).toEqual([['one', 'two']])
})

test('100 posts at once share their tags, whatever order they name them in', async () => {
  const labels = ['red', 'green', 'blue', 'black', 'white']
  const shuffled = (request: number) => [...labels.slice(request % 5), ...labels.slice(0, request % 5)]
  const answers = await sendAtOnce('posts', (request) => ({
    slug: `post-${request}`,
    title: `Post ${request}`,
    tags: shuffled(request),
  }))
  const posts = (await get<Post[]>('posts')).filter(({ slug }) => slug.startsWith('post-'))

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  expect(posts).toHaveLength(REQUESTS)
  for (const { tags } of posts) expect(tags.map(({ label }) => label).sort()).toEqual([...labels].sort())
  expect(new Set(posts.flatMap(({ tags }) => tags.map(({ id }) => id))).size).toBe(labels.length)
})

test.each([
  ['users', {}],
  ['users', { email: { like: '%' }, name: 'Ada' }],
  ['posts', { slug: 'bad', title: 'Bad', tags: 'news' }],
  ['posts', { slug: 'bad', title: 'Bad', tags: [null] }],
])('a request to /%s that cannot be right is the sender’s mistake: %j', async (path, body) => {
  expect((await send(path, body)).status).toBe(400)
})
