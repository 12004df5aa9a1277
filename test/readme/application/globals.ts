import type * as common from '@nestjs/common'
import type * as testing from '@nestjs/testing'
import type * as nestTypeorm from '@nestjs/typeorm'
import type * as typeorm from 'typeorm'
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

  type DataSource = typeorm.DataSource
  const DataSource: typeof typeorm.DataSource
  type Repository<E extends object> = typeorm.Repository<E>
  const Repository: typeof typeorm.Repository

  const dataSource: DataSource
  const manager: typeorm.EntityManager
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

  type GetOrCreateMethods = ours.GetOrCreateMethods
  const Injectable: typeof common.Injectable
  const Module: typeof common.Module
  const Test: typeof testing.Test
  const getDataSourceToken: typeof nestTypeorm.getDataSourceToken
  const getRepositoryToken: typeof nestTypeorm.getRepositoryToken
  const InjectRepository: typeof nestTypeorm.InjectRepository
  const TypeOrmModule: typeof nestTypeorm.TypeOrmModule

  /** Of the first example for NestJS, which the others there import. */
  const SignupModule: new () => object
  const SignupService: new () => { signUp(email: string, name: string): Promise<[user: User, created: boolean]> }
  const DatabaseModule: new () => object
}
