import { application, run, write } from './running.js'
import { snippetsOf } from './snippets.js'

const nest = ['common', 'core', 'testing', 'typeorm'].map((name) => `@nestjs/${name}`)
const packages = [...nest, 'reflect-metadata', 'rxjs', 'typeorm', 'sql.js']

/** What the page speaks of without introducing it each time. */
const imports = `
  import 'reflect-metadata'
  import { Injectable, Module } from '@nestjs/common'
  import { NestFactory } from '@nestjs/core'
  import { Test } from '@nestjs/testing'
  import { getDataSourceToken, getRepositoryToken, InjectRepository, TypeOrmModule } from '@nestjs/typeorm'
  import { DataSource, Repository } from 'typeorm'
  import { type GetOrCreateMethods, type GetOrCreateRepository, withGetOrCreate } from 'typeorm-get-or-create'
  import { getGetOrCreateRepositoryToken } from 'typeorm-get-or-create/nestjs'
  import { User } from './user.entity.js'
`
const databaseModule = (options: object) => `
  @Module({ imports: [TypeOrmModule.forRoot(${JSON.stringify(options)})] })
  class DatabaseModule {}
`
const inMemory = databaseModule({ type: 'sqljs', autoLoadEntities: true, synchronize: true })
const withoutItsDriver = databaseModule({ type: 'postgres', retryAttempts: 0 })
const seen = 'console.log(JSON.stringify({ user, created }))'
const ada = { user: { id: 1, email: 'ada@example.com', name: 'Ada' }, created: true }

const examples = snippetsOf('docs/nestjs.md').map(({ code }) => code)
const [signupModule = ''] = examples
const having = (text: string) => examples.filter((code) => code.includes(text))

test.each(having('createTestingModule'))('a test that overrides gets what it overrides with: %#', (code) => {
  const place = application('module', packages)
  write(place, 'signup.module', signupModule)
  const itsImports = "import { SignupModule, SignupService } from './signup.module.js'"
  expect(run(place, [imports, itsImports, withoutItsDriver, code, seen].join('\n'))).toEqual(ada)
})

test.each(having('useFactory'))('a provider of its own gives the repository with our methods: %#', (code) => {
  const start = `
    @Module({ imports: [DatabaseModule, SignupModule] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] })
    const { users } = app.get(SignupService)
    const [user, created] = await users.getOrCreate({ email: 'ada@example.com' }, { name: 'Ada' })
  `
  const place = application('module', packages)
  expect(run(place, [imports, inMemory, code, start, seen].join('\n'))).toEqual(ada)
})

test('each kind of example was run', () => {
  expect([having('createTestingModule').length, having('useFactory').length]).toEqual([2, 3])
})
