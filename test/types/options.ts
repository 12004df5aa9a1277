/** Options are checked, and relations against the entity. Compiled, never run. */
import type { DataSource } from 'typeorm'
import {
  type GetOrBuildOptions,
  type GetOrCreateMixinOptions,
  type GetOrCreateOptions,
  getOrCreateMixin,
  withGetOrCreate,
} from '../../src/index.js'
import { User } from '../entities.js'

export async function options(dataSource: DataSource) {
  const users = dataSource.getRepository(User).extend(getOrCreateMixin())
  const key = { email: 'a@x' }

  await users.getOrCreate(key, {}, { relations: { team: { members: true } }, loadEagerRelations: false })
  await users.getOrCreate(key, {}, { withDeleted: true, restoreDeleted: true, readFrom: 'primary' })
  await users.getOrCreate(key, {}, { strategy: 'create-first', attempts: 5, uniqueness: 'require' })
  await users.getOrBuild(key, {}, { relations: { team: true }, uniqueness: 'ignore' })

  // @ts-expect-error User has no relation of that name
  await users.getOrCreate(key, {}, { relations: { squad: true } })
  // @ts-expect-error a team has no relation of that name
  await users.getOrCreate(key, {}, { relations: { team: { players: true } } })
  // @ts-expect-error the name of the option is withDeleted
  await users.getOrCreate(key, {}, { withdeleted: true })
  // @ts-expect-error there is no such node
  await users.getOrCreate(key, {}, { readFrom: 'slave' })
  // @ts-expect-error there is no such strategy
  await users.getOrCreate(key, {}, { strategy: 'upsert' })
  // @ts-expect-error attempts are counted
  await users.getOrCreate(key, {}, { attempts: '3' })
  // @ts-expect-error there is no such answer
  await users.getOrCreate(key, {}, { uniqueness: true })
  // @ts-expect-error what is built is not stored, so nothing is recovered
  await users.getOrBuild(key, {}, { restoreDeleted: true })
}

export function optionsOfTheMixin(dataSource: DataSource) {
  const all: GetOrCreateMixinOptions = { uniqueness: 'require', attempts: 1, strategy: 'create-first' }
  getOrCreateMixin(all)
  withGetOrCreate(dataSource.getRepository(User), all)
  // @ts-expect-error relations are an option of a call
  getOrCreateMixin({ relations: { team: true } })
  // @ts-expect-error there is no such answer
  withGetOrCreate(dataSource.getRepository(User), { uniqueness: 'refuse' })
  // @ts-expect-error options are read-only
  all.attempts = 2
}

/** Options have names of their own, so that they can be passed around. */
export function namedOptions(
  dataSource: DataSource,
  forCreate: GetOrCreateOptions<User>,
  forBuild: GetOrBuildOptions<User>,
) {
  const users = withGetOrCreate(dataSource.getRepository(User))
  return Promise.all([users.getOrCreate({ id: 1 }, {}, forCreate), users.getOrBuild({ id: 1 }, {}, forBuild)])
}
