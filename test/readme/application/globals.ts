import type { DataSource, EntityManager } from 'typeorm'
import type * as ours from '../../../src/index.js'
import type * as nestjs from '../../../src/nestjs.js'
import type * as entities from './entities.js'

/** What the examples speak of without introducing it each time. What one of them declares itself goes before. */
declare global {
  type User = entities.User
  const User: typeof entities.User
  const Team: typeof entities.Team
  const Post: typeof entities.Post
  const Outbox: typeof entities.Outbox

  const dataSource: DataSource
  const manager: EntityManager
  const users: ours.GetOrCreateRepository<entities.User>
  const pages: ours.GetOrCreateRepository<entities.Page>
  const tags: ours.GetOrCreateRepository<entities.Tag>

  const email: string
  const name: string
  const path: string
  const title: string
  const labels: string[]

  type GetOrCreateRepository<E extends object> = ours.GetOrCreateRepository<E>
  const getOrCreateMixin: typeof ours.getOrCreateMixin
  const withGetOrCreate: typeof ours.withGetOrCreate
  const isTransientFailure: typeof ours.isTransientFailure
  const isUniqueViolation: typeof ours.isUniqueViolation
  const uniqueViolation: typeof ours.uniqueViolation
  const GetOrCreateModule: typeof nestjs.GetOrCreateModule
  const InjectGetOrCreateRepository: typeof nestjs.InjectGetOrCreateRepository
  const getGetOrCreateRepositoryToken: typeof nestjs.getGetOrCreateRepositoryToken
}
