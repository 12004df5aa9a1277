/** Every way to a repository keeps its entity, its own methods and ours. Compiled, never run. */
import {
  BaseEntity,
  type DataSource,
  Entity,
  type EntityManager,
  EntitySchema,
  PrimaryColumn,
  type Repository,
} from 'typeorm'
import {
  type Defaults,
  type GetOrCreateMethods,
  type GetOrCreateRepository,
  getOrCreateMixin,
  withGetOrCreate,
} from '../../src/index.js'
import { Team, User } from '../entities.js'
import { expectType } from './expect-type.js'

const greeter = {
  greet: (name: string) => `Hello, ${name}`,
}

export async function extended(dataSource: DataSource) {
  const before = dataSource.getRepository(User).extend(greeter).extend(getOrCreateMixin())
  const after = dataSource.getRepository(User).extend(getOrCreateMixin()).extend(greeter)
  for (const users of [before, after]) {
    expectType<string>()(users.greet('Ann'))
    expectType<User>()((await users.getOrCreate({ email: 'a@x' }))[0])
    expectType<User | null>()(await users.findOneBy({ email: 'a@x' }))
    // @ts-expect-error User has no mail
    await users.getOrCreate({ mail: 'a@x' })
  }
}

/** Methods of a repository's own reach ours through `this`, and those that they were extended with before. */
export async function extendedTwice(dataSource: DataSource) {
  const users = dataSource
    .getRepository(User)
    .extend(getOrCreateMixin())
    .extend({
      signUp(email: string) {
        return this.getOrCreate({ email })
      },
      misspelt(email: string): Promise<unknown> {
        // @ts-expect-error User has no mail
        return this.getOrCreate({ mail: email })
      },
    })
    .extend({
      async greet(email: string) {
        const [user, created] = await this.signUp(email)
        const [updated] = await this.updateOrCreate({ id: user.id }, { name: created ? 'new' : 'old' })
        return updated
      },
    })
  expectType<[entity: User, created: boolean]>()(await users.signUp('a@x'))
  expectType<User>()(await users.greet('a@x'))
  expectType<User>()(await dataSource.transaction((manager) => manager.withRepository(users).greet('a@x')))
}

export async function wrapped(dataSource: DataSource) {
  const users: GetOrCreateRepository<User> = withGetOrCreate(dataSource.getRepository(User))
  expectType<[entity: User, created: boolean]>()(await users.getOrCreate({ email: 'a@x' }, { name: 'A' }))
  // @ts-expect-error User has no mail
  await users.getOrCreate({ mail: 'a@x' })

  const greeting = withGetOrCreate(dataSource.getRepository(User).extend(greeter))
  expectType<string>()(greeting.greet('Ann'))
  expectType<User>()((await greeting.getOrCreate({ email: 'a@x' }))[0])

  const twice = withGetOrCreate(withGetOrCreate(dataSource.getRepository(User)), { uniqueness: 'require' })
  expectType<User>()((await twice.getOrCreate({ email: 'a@x' }))[0])
}

export async function inTransactions(manager: EntityManager, users: GetOrCreateRepository<User>) {
  const wrappedThere = manager.withRepository(users)
  expectType<User>()((await wrappedThere.getOrCreate({ email: 'a@x' }, { name: 'A' }))[0])
  // @ts-expect-error User has no mail
  await wrappedThere.getOrCreate({ mail: 'a@x' })

  const extendedThere = manager.withRepository(manager.getRepository(User).extend(getOrCreateMixin()).extend(greeter))
  expectType<User>()((await extendedThere.getOrCreate({ email: 'a@x' }))[0])
  expectType<string>()(extendedThere.greet('Ann'))
}

export async function oneMixin(dataSource: DataSource) {
  const mixin: GetOrCreateMethods = getOrCreateMixin()
  const users = dataSource.getRepository(User).extend(mixin)
  const teams = dataSource.getRepository(Team).extend(mixin)
  expectType<User>()((await users.getOrCreate({ email: 'a@x' }))[0])
  expectType<Team>()((await teams.getOrCreate({ name: 'red' }))[0])
  // @ts-expect-error the methods belong to a repository
  await mixin.getOrCreate({ name: 'red' })
}

@Entity()
class Account extends BaseEntity {
  @PrimaryColumn()
  login!: string

  isLocked() {
    return false
  }
}

export async function activeRecord() {
  const accounts = Account.getRepository().extend(getOrCreateMixin())
  const [account] = await accounts.getOrCreate({ login: 'ann' })
  expectType<Account>()(account)
  account.isLocked()
  await withGetOrCreate(Account.getRepository()).getOrCreate({ login: 'ann' })
  // @ts-expect-error Account has no name
  await accounts.getOrCreate({ name: 'ann' })
}

interface Setting {
  key: string
  value: string | null
}
const SettingSchema = new EntitySchema<Setting>({ name: 'Setting', columns: { key: { type: String, primary: true } } })

export async function withoutAClass(dataSource: DataSource) {
  const settings = withGetOrCreate(dataSource.getRepository(SettingSchema))
  expectType<Setting>()((await settings.getOrCreate({ key: 'theme' }, { value: null }))[0])
  await dataSource.getRepository<Setting>('Setting').extend(getOrCreateMixin()).getOrCreate({ key: 'theme' })
  // @ts-expect-error a setting has no name
  await settings.getOrCreate({ name: 'theme' })
}

/** Inside a service the repository is a field, and defaults are passed through. */
export class Signup {
  constructor(private readonly users: GetOrCreateRepository<User>) {}

  async run(email: string, defaults: Defaults<User>): Promise<User> {
    const [user, created] = await this.users.getOrCreate({ email }, defaults)
    return created ? user : this.users.create(user)
  }
}

/** Whoever takes a plain repository takes one of ours. */
export function asPlainRepository(users: GetOrCreateRepository<User>): Repository<User> {
  return users
}
