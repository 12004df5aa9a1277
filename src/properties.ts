import type { ObjectLiteral } from 'typeorm'
import { type Kind, kindOf } from './kinds.js'
import { isObject, isOperator } from './operators.js'
import type { ColumnMetadata, EmbeddedMetadata, EntityMetadata, RelationMetadata } from './typeorm.js'

/** What an entity has at a property path. A foreign key that is part of the primary key can be column and relation. */
export interface Property {
  readonly column: ColumnMetadata | undefined
  readonly relation: RelationMetadata | undefined
  readonly embedded: EmbeddedMetadata | undefined
  /** That of the column. */
  readonly kind: Kind | undefined
}

const known = new WeakMap<EntityMetadata, Map<string, Property>>()

/** TypeORM searches its lists anew for every path; only properties that exist are kept, so there is an end to them. */
export function propertyOf(metadata: EntityMetadata, path: string): Property | undefined {
  const properties = known.get(metadata) ?? new Map<string, Property>()
  const found = properties.get(path)
  if (found) return found
  const column = metadata.findColumnWithPropertyPathStrict(path)
  const property = {
    column,
    relation: metadata.findRelationWithPropertyPath(path),
    embedded: metadata.findEmbeddedWithPropertyPath(path),
    kind: column && kindOf(column),
  }
  if (!property.column && !property.relation && !property.embedded) return undefined
  known.set(metadata, properties.set(path, property))
  return property
}

/**
 * What to do about a name that the entity has no property for. Join columns and `@RelationId` have names, too, but their
 * values are given as the relation.
 */
export function unknownAdvice(metadata: EntityMetadata, path: string, otherwise: string): string {
  const relation = relationWithKey(metadata, path)
  if (!relation) return `${metadata.name} has no such property among its columns and relations${otherwise}`
  const key = `{ ${keyNamesOf(relation)}: … }`
  const given = relation.isOneToMany || relation.isManyToMany ? `[${key}]` : key
  return `${path} belongs to the relation ${relation.propertyPath}; give ${relation.propertyPath}: ${given}`
}

function relationWithKey(metadata: EntityMetadata, path: string): RelationMetadata | undefined {
  const named = metadata.relationIds.find(({ propertyName }) => propertyName === path)
  if (named) return named.relation
  return metadata.relations.find(
    (relation) => isOwningToOne(relation) && relation.joinColumns.some(({ databaseName }) => databaseName === path),
  )
}

/** TypeORM's own accessors make a closure a call, for the sake of embedded objects and foreign keys. */
const isPlainProperty = (column: ColumnMetadata) => !column.embeddedMetadata && !column.referencedColumn

export function valueIn(entity: ObjectLiteral, column: ColumnMetadata): unknown {
  return isPlainProperty(column) ? entity[column.propertyName] : column.getEntityValue(entity)
}

export function setValueIn(entity: ObjectLiteral, column: ColumnMetadata, value: unknown): void {
  if (isPlainProperty(column)) entity[column.propertyName] = value
  else column.setEntityValue(entity, value)
}

/** TypeORM's own accessor merges into the object that is there, which somebody else may hold. */
export function setRelated(entity: ObjectLiteral, relation: RelationMetadata, value: unknown): void {
  if (relation.embeddedMetadata || relation.isLazy) relation.setEntityValue(entity, value)
  else entity[relation.propertyName] = value
}

const TEXT_TYPES = new Set<unknown>([String, 'varchar', 'nvarchar', 'character varying', 'text'])

/** Is it of a type whose strings are sent, stored and returned as they are? */
export const isText = (column: ColumnMetadata) => TEXT_TYPES.has(column.type) && !column.isArray

/** The same, where no transformer stands between. */
export const storesText = (column: ColumnMetadata) => isText(column) && !column.transformer

/** Does an INSERT write this column? Generated columns, virtual ones and those with `insert: false` only look up. */
export const isStored = (column: ColumnMetadata) =>
  column.isInsert && !column.isVirtualProperty && column.asExpression === undefined

/** Does any statement write this column? As with `save()`, an UPDATE leaves those with `update: false` as they are. */
export const isWritable = (column: ColumnMetadata) =>
  (column.isInsert || column.isUpdate) && !column.isVirtualProperty && column.asExpression === undefined

/**
 * A copy of values that are primitives of stored columns of the entity itself, without those that are `undefined`;
 * `undefined` where there is anything else.
 */
export function plainCopyOf(
  metadata: EntityMetadata,
  values: unknown,
  isGiven: (value: unknown, property: Property) => boolean = () => true,
): ObjectLiteral | undefined {
  if (!isObject(values) || Object.getPrototypeOf(values) !== Object.prototype) return undefined
  const copy: ObjectLiteral = {}
  for (const name of Object.keys(values)) {
    const property = propertyOf(metadata, name)
    const value = values[name]
    // A name can also be the path of a column that is embedded.
    if (property?.column?.propertyName !== name || !isStored(property.column)) return undefined
    if (!isPrimitive(value) || !isGiven(value, property)) return undefined
    if (value !== undefined) copy[name] = value
  }
  return copy
}

const isPrimitive = (value: unknown) => !isObject(value) && typeof value !== 'function' && typeof value !== 'symbol'

/** Columns whose values may be objects or arrays: JSON, arrays, geometry, and whatever a transformer makes of them. */
export const holdsObjects = (column: ColumnMetadata) =>
  column.transformer !== undefined ||
  column.isArray ||
  /json|hstore|simple|object|geo|point|line|poly|array|vector|cube/.test(String(column.type))

export const isOwningToOne = (relation: RelationMetadata) => relation.isManyToOne || relation.isOneToOneOwner

/** The properties of the related entity that identify it for this relation. */
export function keyNamesOf(relation: RelationMetadata): string {
  const columns = relation.joinColumns.map((column) => column.referencedColumn?.propertyPath)
  const names = isOwningToOne(relation)
    ? columns
    : relation.inverseEntityMetadata.primaryColumns.map((column) => column.propertyPath)
  return names.join(', ')
}

/** The value of each join column, when the object has all of those that the foreign key references. */
export function foreignKeyOf(relation: RelationMetadata, value: object): Map<ColumnMetadata, unknown> | undefined {
  if (!isOwningToOne(relation)) return undefined
  const key = new Map<ColumnMetadata, unknown>()
  for (const column of relation.joinColumns) {
    const part = column.referencedColumn?.getEntityValue(value)
    const given = isOperator(part) && part.type === 'equal' ? part.value : part
    if (given === undefined || given === null || isOperator(given)) return undefined
    key.set(column, given)
  }
  return key
}

/** The related object reduced to what the foreign key references. */
export function referenceFrom(key: ReadonlyMap<ColumnMetadata, unknown>): ObjectLiteral {
  const reference: ObjectLiteral = {}
  for (const [column, part] of key) column.referencedColumn?.setEntityValue(reference, part)
  return reference
}
