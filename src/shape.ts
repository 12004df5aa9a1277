import type { ObjectLiteral } from 'typeorm'
import { setValueIn, storesText } from './properties.js'
import type { ColumnMetadata, Driver, EntityMetadata, QueryRunner } from './typeorm.js'

const FROM_DATABASE = { fromDeserializer: true }

/** How a record becomes an entity of a class, as in TypeORM's own reads. */
export class Shape {
  readonly #parts: readonly { readonly column: ColumnMetadata; readonly alias: string; readonly isText: boolean }[]

  /** @param aliases The names of the columns in the records. */
  constructor(
    readonly metadata: EntityMetadata,
    aliases: Iterable<readonly [ColumnMetadata, string]>,
  ) {
    this.#parts = Array.from(aliases, ([column, alias]) => ({ column, alias, isText: storesText(column) }))
  }

  hydrate(runner: QueryRunner, driver: Driver, record: ObjectLiteral): ObjectLiteral {
    const entity: ObjectLiteral = this.metadata.create(runner, FROM_DATABASE)
    for (const { column, alias, isText } of this.#parts) {
      const value = record[alias]
      if (value === undefined) continue
      const isAsItIs = isText && typeof value === 'string'
      setValueIn(entity, column, isAsItIs ? value : driver.prepareHydratedValue(value, column))
    }
    return entity
  }
}
