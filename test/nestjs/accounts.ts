import { Injectable, type ModuleMetadata } from '@nestjs/common'
import { Test, type TestingModule } from '@nestjs/testing'
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm'
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm'
import type { GetOrCreateRepository } from '../../src/index.js'
import { InjectGetOrCreateRepository } from '../../src/nestjs.js'

@Entity()
export class Account {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  email!: string

  @Column({ default: 'nobody' })
  name!: string
}

@Injectable()
export class SignupService {
  constructor(@InjectGetOrCreateRepository(Account) readonly accounts: GetOrCreateRepository<Account>) {}

  signUp(email: string): Promise<[account: Account, created: boolean]> {
    return this.accounts.getOrCreate({ email })
  }
}

/** A data source of its own in memory, under the given name, that loads what the features name. */
export function inMemory(name?: string, options: Partial<TypeOrmModuleOptions> = {}) {
  return TypeOrmModule.forRoot({
    type: 'sqljs',
    autoLoadEntities: true,
    synchronize: true,
    retryAttempts: 0,
    ...(name && { name }),
    ...options,
  } as TypeOrmModuleOptions)
}

const started: TestingModule[] = []
afterEach(async () => {
  for (const application of started.splice(0)) await application.close()
})

/** Starts a Nest application for the length of a test. */
export async function start(
  module: ModuleMetadata,
  options?: Parameters<typeof Test.createTestingModule>[1],
): Promise<TestingModule> {
  const application = await Test.createTestingModule(module, options).compile()
  started.push(application)
  return application.init()
}
