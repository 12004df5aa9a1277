import { type GetOrCreateRepository, getOrCreateMixin } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { entities, User } from '../entities.js'

let db: OpenDatabase
let users: GetOrCreateRepository<User>

beforeAll(async () => {
  db = await openDatabase(entities)
  users = db.dataSource.getRepository(User).extend(getOrCreateMixin())
})
afterAll(() => db.close())

test('creates, then finds', async () => {
  const [first, created] = await users.getOrCreate({ email: 'a@x' }, { name: 'A' })
  expect(created).toBe(true)
  const [again, createdAgain] = await users.getOrCreate({ email: 'a@x' }, { name: 'B' })
  expect(createdAgain).toBe(false)
  expect(again).toEqual(first)
})
