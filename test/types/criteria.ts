/** Criteria and defaults are checked against the entity, without a type argument. Compiled, never run. */
import { type DataSource, Equal, In, IsNull, Like, MoreThan, Not } from 'typeorm'
import { getOrCreateMixin } from '../../src/index.js'
import { Post, Role, User } from '../entities.js'
import { Customer } from '../key-entities.js'
import { expectType } from './expect-type.js'

export async function criteria(dataSource: DataSource, team: { id: number }) {
  const users = dataSource.getRepository(User).extend(getOrCreateMixin())
  const roles = dataSource.getRepository(Role).extend(getOrCreateMixin())
  const customers = dataSource.getRepository(Customer).extend(getOrCreateMixin())

  await users.getOrCreate({ email: 'a@x' })
  await users.getOrCreate({ email: Equal('a@x'), handle: IsNull(), name: Not(In(['A', 'B'])) })
  await users.getOrCreate({ email: Like('a%'), id: MoreThan(3) })
  await users.getOrCreate([{ email: 'a@x' }, { id: 1 }])
  await roles.getOrCreate({ team: { id: 1 }, title: 'Lead' })
  await roles.getOrCreate({ team, title: 'Lead' })
  await roles.getOrCreate({ team: { name: Like('r%') }, title: 'Lead' })
  await customers.getOrCreate({ contact: { phone: '1' } })

  // @ts-expect-error criteria are required
  await users.getOrCreate()
  // @ts-expect-error they are no null
  await users.getOrCreate(null)
  // @ts-expect-error they are no bare id
  await users.getOrCreate(1)
  // @ts-expect-error User has no mail
  await users.getOrCreate({ mail: 'a@x' })
  // @ts-expect-error User has no mail, also beside a property that it has
  await users.getOrCreate({ email: 'a@x', mail: 'a@x' })
  // @ts-expect-error User has no mail, also in an alternative
  await users.getOrCreate([{ email: 'a@x' }, { mail: 'a@x' }])
  // @ts-expect-error an e-mail address is text
  await users.getOrCreate({ email: 1 })
  // @ts-expect-error an e-mail address is text, also in an operator
  await users.getOrCreate({ email: Equal(1) })
  // @ts-expect-error null matches nothing: IsNull() is meant
  await users.getOrCreate({ email: null })
  // @ts-expect-error null matches nothing, also where the column may be NULL
  await users.getOrCreate({ handle: null })
  // @ts-expect-error a team has no title
  await roles.getOrCreate({ team: { title: 'x' } })
  // @ts-expect-error the id of a team is a number
  await roles.getOrCreate({ team: { id: '1' } })
  // @ts-expect-error a relation is given as an object
  await roles.getOrCreate({ team: 1 })
  // @ts-expect-error a contact has no fax
  await customers.getOrCreate({ contact: { fax: '1' } })
}

export async function defaults(dataSource: DataSource) {
  const users = dataSource.getRepository(User).extend(getOrCreateMixin())
  const posts = dataSource.getRepository(Post).extend(getOrCreateMixin())
  const key = { email: 'a@x' }

  await users.getOrCreate(key, {})
  await users.getOrCreate(key, { name: 'A', handle: null, team: { id: 1 } })
  await users.getOrCreate(key, () => ({ name: 'A' }))
  await users.getOrCreate(key, async () => ({ name: 'A', team: null }))
  await users.getOrCreate(key, undefined, { withDeleted: true })
  await posts.getOrCreate({ slug: 'a' }, { tags: [{ label: 'x' }], team: { name: 'red' } })

  // @ts-expect-error defaults are no null
  await users.getOrCreate(key, null)
  // @ts-expect-error User has no nickname
  await users.getOrCreate(key, { nickname: 'A' })
  // @ts-expect-error a name is text
  await users.getOrCreate(key, { name: 1 })
  // @ts-expect-error a name is not null
  await users.getOrCreate(key, { name: null })
  // @ts-expect-error an operator is no value
  await users.getOrCreate(key, { name: Equal('A') })
  // @ts-expect-error a relation is given as an object
  await users.getOrCreate(key, { team: 1 })
  // @ts-expect-error a name is text, also when a function makes it
  await users.getOrCreate(key, () => ({ name: 1 }))
  // @ts-expect-error a name is text, also when a function makes it later
  await users.getOrCreate(key, async () => ({ name: 1 }))
  // @ts-expect-error a function makes something
  await users.getOrCreate(key, () => {})
  // @ts-expect-error a function of defaults is given nothing
  await users.getOrCreate(key, (name: string) => ({ name }))
  // @ts-expect-error a tag has no title
  await posts.getOrCreate({ slug: 'a' }, { tags: [{ title: 'x' }] })
}

export async function results(dataSource: DataSource) {
  const users = dataSource.getRepository(User).extend(getOrCreateMixin())

  const [user, created] = await users.getOrCreate({ email: 'a@x' })
  expectType<User>()(user)
  expectType<boolean>()(created)

  const [built, isNew] = await users.getOrBuild({ email: 'a@x' }, () => ({ name: 'A' }))
  expectType<User>()(built)
  expectType<boolean>()(isNew)

  expectType<[entity: User, created: boolean]>()(await users.getOrCreate({ email: 'a@x' }))
  // @ts-expect-error the result is a pair
  ;(await users.getOrCreate({ email: 'a@x' })).email
}
