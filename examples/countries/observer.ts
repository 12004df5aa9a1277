import type { EntitySubscriberInterface, InsertEvent, Logger, ObjectLiteral } from 'typeorm'
import type { GetOrCreateRepository } from '../../src/index.js'
import type { Repositories } from './import.js'

/** Counts what happens during an import, from outside: answers, attempts to insert, statements. */
export class Observer implements EntitySubscriberInterface, Logger {
  calls = 0
  created = 0
  insertAttempts = 0
  statements = 0

  watch({ regions, currencies, languages, countries }: Repositories): Repositories {
    return {
      regions: this.#watched(regions),
      currencies: this.#watched(currencies),
      languages: this.#watched(languages),
      countries: this.#watched(countries),
    }
  }

  #watched<E extends ObjectLiteral>(repository: GetOrCreateRepository<E>) {
    const ask = repository.getOrCreate.bind(repository) as (...call: unknown[]) => Promise<[E, boolean]>
    const getOrCreate = async (...call: unknown[]) => {
      this.calls++
      const [entity, created] = await ask(...call)
      if (created) this.created++
      return [entity, created]
    }
    return repository.extend({ getOrCreate }) as unknown as GetOrCreateRepository<E>
  }

  beforeInsert({ metadata }: InsertEvent<unknown>): void {
    if (!metadata.isJunction) this.insertAttempts++
  }

  logQuery(): void {
    this.statements++
  }

  logQueryError(): void {}

  logQuerySlow(): void {}

  logSchemaBuild(): void {}

  logMigration(): void {}

  log(): void {}
}
