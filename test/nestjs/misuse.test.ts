import { EntityMetadataNotFoundError } from 'typeorm'
import { InvalidOptionsError } from '../../src/index.js'
import { GetOrCreateModule, getGetOrCreateRepositoryToken, InjectGetOrCreateRepository } from '../../src/nestjs.js'
import { failureOf } from '../failures.js'
import { Account, inMemory, SignupService, start } from './accounts.js'

const notYetDefined = undefined as unknown as typeof Account

test('an entity that the data source does not have stops the start, by name', async () => {
  const withoutEntities = inMemory(undefined, { autoLoadEntities: false })
  const failure = await failureOf(start({ imports: [withoutEntities, GetOrCreateModule.forFeature([Account])] }))
  expect(failure).toBeInstanceOf(EntityMetadataNotFoundError)
  expect(failure.message).toContain('"Account"')
})

test('options that are unknown or out of range stop the start', async () => {
  const failure = await failureOf(
    start({ imports: [inMemory(), GetOrCreateModule.forFeature([Account], undefined, { attempts: 0 })] }),
  )
  expect(failure).toBeInstanceOf(InvalidOptionsError)
  expect(failure.message).toBe('options.attempts is 0: use an integer of at least 1.')
})

test('a service whose module imports no feature is told which repository it lacks', async () => {
  const failure = await failureOf(start({ imports: [inMemory()], providers: [SignupService] }))
  expect(failure.message).toContain('SignupService')
  expect(failure.message).toContain('"AccountRepositoryWithGetOrCreate"')
})

test('a data source that nobody configured is named', async () => {
  const failure = await failureOf(start({ imports: [inMemory(), GetOrCreateModule.forFeature([Account], 'audit')] }))
  expect(failure.message).toContain('auditDataSource')
})

test.each([
  ['forFeature', () => GetOrCreateModule.forFeature([notYetDefined])],
  ['@InjectGetOrCreateRepository', () => InjectGetOrCreateRepository(notYetDefined)],
  ['getGetOrCreateRepositoryToken', () => getGetOrCreateRepositoryToken(notYetDefined)],
])('%s names the cause when files import each other and the entity is still undefined', (_name, call) => {
  expect(call).toThrow('circular dependency')
})
