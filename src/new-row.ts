import type { ObjectLiteral } from 'typeorm'
import { InvalidValuesError, received } from './errors.js'
import { noValueAdvice } from './kinds.js'
import { copyInto, isObject, isOperator, isPlainObject, setAt } from './operators.js'
import {
  foreignKeyOf,
  isOwningToOne,
  isStored,
  keyNamesOf,
  plainCopyOf,
  propertyOf,
  unknownAdvice,
} from './properties.js'
import type { ColumnMetadata, EntityMetadata, RelationMetadata } from './typeorm.js'

/** What a new row is made of. */
export interface NewRow {
  /** Property values of the entity, criteria and defaults merged. */
  readonly values: ObjectLiteral
  /** To-one relations whose object is stored before the row, which needs its key. */
  readonly parents: readonly RelationMetadata[]
  /** Relations whose objects or links are stored after the row, because they need its key. */
  readonly children: readonly RelationMetadata[]
  /** Are the values primitives of the entity's own columns, and nothing else? */
  readonly isPlain: boolean
}

/** Values for the new row from one argument, named as the caller knows it. */
export interface ValueLayer {
  readonly label: string
  readonly values: unknown
  /** Is it a copy with primitive values of stored columns, and nothing else? */
  readonly isPlain?: boolean
}

const NONE: readonly RelationMetadata[] = []

/** A new row of plain criteria and plain layers. */
export function plainNewRow(criteriaValues: ObjectLiteral, layers: readonly ValueLayer[]): NewRow {
  const values: ObjectLiteral = {}
  copyInto(values, criteriaValues)
  for (const layer of layers) copyInto(values, layer.values as ObjectLiteral)
  return { values, parents: NONE, children: NONE, isPlain: true }
}

/**
 * Criteria values, then each layer over what came before: embedded objects merge, `undefined` means not given.
 *
 * @throws InvalidValuesError for what the entity cannot store, so that nothing is dropped in silence
 */
export function composeNewRow(
  metadata: EntityMetadata,
  criteriaValues: ObjectLiteral,
  layers: readonly ValueLayer[],
  isWritten = isStored,
): NewRow {
  const values: ObjectLiteral = {}
  for (const [key, value] of Object.entries(criteriaValues)) setAt(values, key, value)
  for (const { label, values: input } of layers) {
    if (!hasProperties(input)) {
      throw invalid(label, input, 'give an object of property values, or a function that returns one')
    }
    mergeValues(values, metadata, input, { prefix: '', label, isWritten })
  }
  const related = metadata.relations.filter((relation) =>
    needsOwnStatements(relation, relation.getEntityValue(values, true)),
  )
  return {
    values,
    parents: related.filter(isOwningToOne),
    children: related.filter((relation) => !isOwningToOne(relation)),
    isPlain: false,
  }
}

/**
 * Copies of layers in which there is nothing to refuse: they can be composed when a row turns out to be missing.
 * `undefined` where one of them has to be looked at closely.
 */
export function plainLayers(
  metadata: EntityMetadata,
  layers: readonly ValueLayer[],
): readonly ValueLayer[] | undefined {
  const copies: ValueLayer[] = []
  for (const { label, values } of layers) {
    const copy = plainCopyOf(metadata, values, isCertain)
    if (!copy) return undefined
    copies.push({ label, values: copy, isPlain: true })
  }
  return copies
}

/** NaN and the infinities are values in some columns only. */
const isCertain = (value: unknown) => typeof value !== 'number' || Number.isFinite(value)

/** Objects of these classes have no property values: what is in them would be lost. */
const containers = [Array, Date, Map, Promise, Set, Uint8Array]

function hasProperties(value: unknown): value is ObjectLiteral {
  return isObject(value) && !isOperator(value) && !containers.some((type) => value instanceof type)
}

/** Where in the entity values are merged, how an error names it, and which columns the statement writes. */
interface Place {
  readonly prefix: string
  readonly label: string
  readonly isWritten: (column: ColumnMetadata) => boolean
}

function mergeValues(values: ObjectLiteral, metadata: EntityMetadata, input: ObjectLiteral, place: Place): void {
  const { prefix, label, isWritten } = place
  for (const key of Object.keys(input)) {
    const path = `${prefix}${key}`
    const at = `${label}.${key}`
    const value = input[key]
    const property = propertyOf(metadata, path)
    if (!property) throw invalid(at, value, unknownAdvice(metadata, path, ', so it could not be stored; remove it'))
    const { column, relation, embedded } = property
    if (value === undefined) continue
    if (isOperator(value)) throw invalid(at, value, 'an operator is no value; give the value itself')
    if (typeof value === 'function') throw invalid(at, value, 'a function is no value; give the value itself')
    if (column && !isWritten(column)) throw invalid(at, value, 'this column is not written then; remove it')
    const advice = column && noValueAdvice(value, column)
    if (advice) throw invalid(at, value, advice)
    if (relation && !column) checkRelated(relation, value, at)
    if (column || relation) {
      for (const other of otherPathsOf(column, relation)) if (other !== path) setAt(values, other, undefined)
      setAt(values, path, value)
    } else if (value === null) {
      for (const part of embedded?.columnsFromTree ?? []) setAt(values, part.propertyPath, null)
    } else if (isObject(value)) mergeValues(values, metadata, value, { prefix: `${path}.`, label: at, isWritten })
    else throw invalid(at, value, 'an embedded object is given by its properties')
  }
}

/** A foreign key that is declared beside its relation is one thing with two names: the later value replaces the other. */
function otherPathsOf(column: ColumnMetadata | undefined, relation: RelationMetadata | undefined): string[] {
  if (column) return column.relationMetadata ? [column.relationMetadata.propertyPath] : []
  return relation?.joinColumns.filter((key) => !key.isVirtual).map((key) => key.propertyPath) ?? []
}

/** Refuses a related value that would be lost: a bare id, or a new object where nothing cascades. */
function checkRelated(relation: RelationMetadata, value: unknown, at: string): void {
  const isToMany = relation.isOneToMany || relation.isManyToMany
  if (value === null && !isToMany) return
  if (isToMany && !Array.isArray(value)) throw invalid(at, value, 'give an array of objects')
  if (!isToMany && Array.isArray(value)) throw invalid(at, value, 'give one object')
  for (const [index, item] of [value].flat().entries()) {
    const itemAt = isToMany ? `${at}[${index}]` : at
    if (!isObject(item))
      throw invalid(itemAt, item, `a relation is given as an object, such as { ${keyNamesOf(relation)}: … }`)
    if (!relation.isCascadeInsert && !isReference(relation, item)) {
      throw invalid(
        itemAt,
        item,
        `it has no { ${keyNamesOf(relation)} }, and '${relation.propertyName}' does not cascade inserts: ` +
          'store it first, or set cascade on the relation',
      )
    }
    if (isPlainObject(item))
      mergeValues({}, relation.inverseEntityMetadata, item, { prefix: '', label: itemAt, isWritten: isStored })
  }
}

/** Does the object say which stored row is meant? */
function isReference(relation: RelationMetadata, item: ObjectLiteral): boolean {
  return isOwningToOne(relation)
    ? foreignKeyOf(relation, item) !== undefined
    : relation.inverseEntityMetadata.hasId(item)
}

/** A reference to a stored parent is a column of the row; everything else takes statements beside the row's INSERT. */
function needsOwnStatements(relation: RelationMetadata, value: unknown): boolean {
  if (!isObject(value)) return false
  if (!isOwningToOne(relation)) return !Array.isArray(value) || value.length > 0
  const key = foreignKeyOf(relation, value)
  if (!key) return true
  const givesMore = Object.values(value).filter((part) => part !== undefined).length > key.size
  const mayBeNew =
    relation.isCascadeInsert && !relation.inverseEntityMetadata.primaryColumns.every((column) => column.isGenerated)
  return givesMore && (relation.isCascadeUpdate || mayBeNew)
}

/** The value of a lazy relation is a promise, and on an entity it lives beside private marks of TypeORM. */
export function withLazyRelations(
  metadata: EntityMetadata,
  layers: readonly ValueLayer[],
): readonly ValueLayer[] | Promise<ValueLayer[]> {
  if (metadata.lazyRelations.length === 0) return layers
  return Promise.all(
    layers.map(async ({ label, values }) => ({
      label,
      values: hasProperties(values) ? await awaited(metadata, values) : values,
    })),
  )
}

async function awaited(metadata: EntityMetadata, values: ObjectLiteral): Promise<ObjectLiteral> {
  const settled: ObjectLiteral = { ...values }
  for (const { propertyName } of metadata.lazyRelations) {
    for (const mark of [`__${propertyName}__`, `__promise_${propertyName}__`, `__has_${propertyName}__`]) {
      delete settled[mark]
    }
    if (propertyName in values) settled[propertyName] = await values[propertyName]
  }
  return settled
}

function invalid(at: string, value: unknown, advice: string): InvalidValuesError {
  return new InvalidValuesError(`${at} is ${received(value)}: ${advice}.`)
}
