import type { ObjectLiteral } from 'typeorm'
import { copyOf, isObject } from './operators.js'
import { setRelated, setValueIn, valueIn } from './properties.js'
import type { ColumnMetadata, EmbeddedMetadata, EntityMetadata } from './typeorm.js'

/**
 * An entity with the column values of another, and nothing else. What a transformer made is copied for `hooks` only, who
 * may change it: to store and load a value once more can make another one of it.
 */
export function columnsOf(metadata: EntityMetadata, entity: ObjectLiteral, hooks?: 'for hooks'): ObjectLiteral {
  const copy: ObjectLiteral = metadata.create(undefined, { fromDeserializer: true })
  for (const column of metadata.columns) {
    const value = column.isVirtual ? undefined : column.getEntityValue(entity)
    if (value === undefined) continue
    column.setEntityValue(copy, column.transformer && !hooks ? value : freshValue(column, value))
  }
  return copy
}

/**
 * An entity for somebody who may change it, related entities included: what is done to it, no one else sees.
 *
 * @param clones What was cloned on the way, because related entities can lead back.
 */
export function cloneOf(
  metadata: EntityMetadata,
  entity: ObjectLiteral,
  clones = new Map<ObjectLiteral, ObjectLiteral>(),
): ObjectLiteral {
  const known = clones.get(entity)
  if (known) return known
  const clone = emptyLike(metadata, entity)
  clones.set(entity, clone)
  for (const key of Reflect.ownKeys(entity)) copyProperty(entity, clone, key)
  cloneParts(clone, metadata.embeddeds)
  for (const column of metadata.columns) {
    if (column.isVirtual || column.relationMetadata) continue
    const value = valueIn(entity, column)
    // Accessors of the class keep what they are given elsewhere.
    if (isObject(value) || value !== valueIn(clone, column)) setValueIn(clone, column, freshValue(column, value))
  }
  for (const relation of metadata.relations) {
    const related: unknown = relation.isLazy ? undefined : relation.getEntityValue(entity)
    if (!isObject(related)) continue
    const copies = [related]
      .flat()
      .map((one) => (isObject(one) ? cloneOf(relation.inverseEntityMetadata, one, clones) : one))
    setRelated(clone, relation, Array.isArray(related) ? copies : copies[0])
  }
  return clone
}

/** As TypeORM makes one when it reads: private fields come from the constructor alone. */
function emptyLike(metadata: EntityMetadata, entity: ObjectLiteral): ObjectLiteral {
  const prototype = Object.getPrototypeOf(entity)
  const own: ObjectLiteral = metadata.findInheritanceMetadata(entity).create(undefined, { fromDeserializer: true })
  return Object.getPrototypeOf(own) === prototype ? own : Object.create(prototype)
}

/** Gives the clone embedded objects of its own, and those embedded in them. */
function cloneParts(clone: ObjectLiteral, embeddeds: readonly EmbeddedMetadata[]): void {
  for (const { propertyName, embeddeds: inner } of embeddeds) {
    const part = clone[propertyName]
    if (!isObject(part)) continue
    const own = Object.assign(Object.create(Object.getPrototypeOf(part)), part)
    clone[propertyName] = own
    cloneParts(own, inner)
  }
}

/** A lazy relation is a getter. To assign what is none makes an object of ordinary speed, to define it would not. */
function copyProperty(entity: ObjectLiteral, clone: ObjectLiteral, key: string | symbol): void {
  const property = Object.getOwnPropertyDescriptor(entity, key) as PropertyDescriptor
  if (property.enumerable && 'value' in property) clone[key as string] = property.value
  else Object.defineProperty(clone, key, property)
}

/** A value of a class comes from a transformer, which makes another one. */
function freshValue(column: ColumnMetadata, value: unknown): unknown {
  const transformers = [column.transformer ?? []].flat()
  if (transformers.length === 0 || !isObject(value)) return copyOf(value)
  const stored = transformers.reduce((last, transformer) => transformer.to(last), value)
  return transformers.reduceRight((last, transformer) => transformer.from(last), stored)
}
