import type { FindOptionsWhere, ObjectLiteral } from 'typeorm'
import { InvalidCriteriaError, received } from './errors.js'
import { isOfAnotherKind, kindAdvice, kindOf } from './kinds.js'
import {
  comparedBy,
  equalTo,
  isEntityInstance,
  isObject,
  isOperator,
  isPlainObject,
  type Operator,
  operandsOf,
  setAt,
  withOwnOperands,
} from './operators.js'
import {
  foreignKeyOf,
  holdsObjects,
  isOwningToOne,
  isStored,
  keyNamesOf,
  type Property,
  plainCopyOf,
  propertyOf,
  referenceFrom,
  unknownAdvice,
} from './properties.js'
import { TextCache } from './text-cache.js'
import type { ColumnMetadata, EntityMetadata, RelationMetadata } from './typeorm.js'

/**
 * What identifies a row, read once and checked completely: a value that the database would ignore (`undefined`), that
 * matches nothing (`null`, `NaN`) or everything (`{}`) is a mistake that must not become a query.
 */
export interface Criteria {
  /** The WHERE of one read. Each read gets a copy of its own, because TypeORM 1.1.1 writes into operators. */
  where(): FindOptionsWhere<ObjectLiteral> | FindOptionsWhere<ObjectLiteral>[]
  /** What the criteria say about a new row: a tree of property values. */
  readonly values: ObjectLiteral
  /** For each alternative, the columns that must equal one value. */
  readonly alternatives: readonly Pinned[]
  /** Those of the only alternative. */
  readonly pinned: Pinned | undefined
  /** Are they primitive values of the entity's own columns, and nothing else? */
  readonly isPlain: boolean
  /** Does every part of the criteria give a value, so that a row created from them is one that they find? */
  readonly describesRow: boolean
  /** Does every part of the criteria pin a column to a plain value, as a key does? */
  readonly pinsEverything: boolean
  /** Does a read join a table that may hold several rows for one of ours? */
  readonly joinToMany: boolean
}

/** Columns that must equal one value each, which is never NULL. */
export interface Pinned {
  readonly columns: readonly ColumnMetadata[]
  /** `undefined` for a column that is not pinned. */
  valueFor(column: ColumnMetadata): unknown
  /** Columns that are named, but pinned to no value, and by what they are given instead. */
  readonly unpinned?: ReadonlyMap<ColumnMetadata, string>
}

/** Do two of them name the same columns, in whatever order? Neither has alternatives. */
export function pinsTheSame(one: Criteria, other: Criteria): boolean {
  const [own = [], others = []] = [one.pinned?.columns, other.pinned?.columns]
  return own === others || (own.length === others.length && own.every((column) => others.includes(column)))
}

/**
 * @param index Where the criteria stand in a list, for the errors.
 * @throws InvalidCriteriaError
 */
export function readCriteria(metadata: EntityMetadata, input: unknown, index?: number): Criteria {
  const plain = readPlainCriteria(metadata, input)
  if (plain) return plain
  const label = index === undefined ? 'criteria' : `criteria[${index}]`
  return Array.isArray(input) ? readAlternatives(metadata, input, label) : readMember(metadata, input, label)
}

/**
 * What most criteria are: primitive values of the entity's own columns, in which there is nothing to refuse. `undefined`
 * where they have to be looked at closely.
 */
function readPlainCriteria(metadata: EntityMetadata, input: unknown): Criteria | undefined {
  const values = plainCopyOf(metadata, input, isGiven)
  const columns = values && columnsNamed(metadata, values)
  return columns && columns.length > 0 ? new PlainCriteria(columns, values) : undefined
}

const isGiven = (value: unknown, { kind }: Property) =>
  value !== undefined && value !== null && !Number.isNaN(value) && !isOfAnotherKind(value, kind)

/** The columns that the criteria before named. Mostly they are named again; then they are the same array, too. */
const namedBefore = new WeakMap<EntityMetadata, readonly ColumnMetadata[]>()

const plainColumns = new TextCache<readonly ColumnMetadata[]>()

function columnsNamed(metadata: EntityMetadata, values: ObjectLiteral): readonly ColumnMetadata[] {
  const before = namedBefore.get(metadata)
  if (before && areNamed(before, values)) return before
  const names = Object.keys(values)
  const columns = plainColumns.get(metadata, names.join('\n'), () =>
    names.map((name) => propertyOf(metadata, name)?.column as ColumnMetadata),
  )
  namedBefore.set(metadata, columns)
  return columns
}

function areNamed(columns: readonly ColumnMetadata[], values: ObjectLiteral): boolean {
  let at = 0
  for (const name in values) if (columns[at++]?.propertyName !== name) return false
  return at === columns.length
}

/** Small, because a list has thousands of them: what they have in common is shared. */
class PlainCriteria implements Criteria, Pinned {
  constructor(
    readonly columns: readonly ColumnMetadata[],
    readonly values: ObjectLiteral,
  ) {}

  get alternatives(): readonly Pinned[] {
    return [this]
  }

  get pinned(): Pinned {
    return this
  }

  get isPlain(): boolean {
    return true
  }

  get describesRow(): boolean {
    return true
  }

  get pinsEverything(): boolean {
    return true
  }

  get joinToMany(): boolean {
    return false
  }

  where(): FindOptionsWhere<ObjectLiteral> {
    return { ...this.values }
  }

  valueFor(column: ColumnMetadata): unknown {
    return this.columns.includes(column) ? this.values[column.propertyName] : undefined
  }
}

/** Alternatives only look up: which of them would a new row be? */
function readAlternatives(metadata: EntityMetadata, input: readonly unknown[], label: string): Criteria {
  if (input.length === 0) throw invalid(label, input, 'give at least one object of property values')
  const members = Array.from(input, (member, index) => readMember(metadata, member, `${label}[${index}]`))
  return {
    where: () => members.map((member) => member.where()),
    values: {},
    alternatives: members.map(({ pinned }) => pinned),
    pinned: undefined,
    isPlain: false,
    describesRow: false,
    pinsEverything: false,
    joinToMany: members.some(({ joinToMany }) => joinToMany),
  }
}

function readMember(metadata: EntityMetadata, input: unknown, label: string): Reading {
  const reading = new Reading()
  reading.given = readObject(reading, metadata, input, { path: '', label })
  return reading
}

class PinnedValues extends Map<ColumnMetadata, unknown> implements Pinned {
  readonly unpinned = new Map<ColumnMetadata, string>()

  get columns(): readonly ColumnMetadata[] {
    return [...this.keys()]
  }

  valueFor(column: ColumnMetadata): unknown {
    return this.get(column)
  }
}

/** One member of the criteria, and what is gathered while it is walked. */
class Reading implements Criteria {
  given: ObjectLiteral = {}
  readonly values: ObjectLiteral = {}
  readonly pinned = new PinnedValues()
  readonly alternatives = [this.pinned]
  readonly isPlain = false
  describesRow = true
  hasNull = false
  joinToMany = false

  get pinsEverything(): boolean {
    return this.describesRow && !this.hasNull
  }

  where(): FindOptionsWhere<ObjectLiteral> {
    return withOwnOperands(this.given)
  }
}

/** Where the walk stands: the property path inside the entity, and the path that an error names. */
interface Place {
  readonly path: string
  readonly label: string
}

const below = (place: Place, key: string): Place => ({
  path: place.path ? `${place.path}.${key}` : key,
  label: `${place.label}.${key}`,
})

function readObject(reading: Reading, metadata: EntityMetadata, input: unknown, place: Place): ObjectLiteral {
  if (
    !isObject(input) ||
    Array.isArray(input) ||
    isOperator(input) ||
    input instanceof Date ||
    input instanceof Promise
  ) {
    throw invalid(place.label, input, 'give an object of property values')
  }
  const keys = Object.keys(input)
  if (keys.length === 0) throw invalid(place.label, input, 'it would match every row; name what identifies the row')
  const where: ObjectLiteral = {}
  for (const key of keys) where[key] = readProperty(reading, metadata, input[key], below(place, key))
  return where
}

function readProperty(reading: Reading, metadata: EntityMetadata, value: unknown, place: Place): unknown {
  const property = propertyOf(metadata, place.path)
  if (!property) throw unknownProperty(metadata, value, place)
  refuseNothing(value, place.label)
  const { column, relation } = property
  if (column) return readColumn(reading, column, value, place)
  if (relation) return readRelation(reading, relation, value, place)
  if (isOperator(value)) throw invalid(place.label, value, 'an embedded object is given by its properties')
  return readObject(reading, metadata, value, place)
}

function refuseUnknownProperties(value: ObjectLiteral, metadata: EntityMetadata, label: string): void {
  const unknown = Object.keys(value).find((key) => !propertyOf(metadata, key))
  if (unknown !== undefined) throw unknownProperty(metadata, value[unknown], below({ path: '', label }, unknown))
}

function readColumn(reading: Reading, column: ColumnMetadata, value: unknown, place: Place): unknown {
  if (!isOperator(value)) refuseNonValue(value, column, place.label)
  const given = isOperator(value) ? givenBy(value, column, place.label) : { value }
  if (!given) reading.pinned.unpinned.set(column, OPERATOR)
  if (!given || !isStored(column)) reading.describesRow = false
  else {
    setAt(reading.values, place.path, given.value)
    if (given.value === null) noteNull(reading, [column])
    else reading.pinned.set(column, given.value)
  }
  return value
}

const OPERATOR = 'an operator'

function noteNull(reading: Reading, columns: readonly ColumnMetadata[]): void {
  reading.hasNull = true
  for (const column of columns) reading.pinned.unpinned.set(column, 'NULL')
}

function readRelation(reading: Reading, relation: RelationMetadata, value: unknown, place: Place): unknown {
  if (isOperator(value)) return readRelationOperator(reading, relation, value, place)
  if (Array.isArray(value)) {
    if (value.length === 0) throw invalid(place.label, value, 'give at least one object of property values')
    return value.map((member, index) => readRelated(reading, relation, member, `${place.label}[${index}]`))
  }
  if (!isObject(value) || value instanceof Promise) {
    throw invalid(place.label, value, `a relation is given as an object, such as { ${keyNamesOf(relation)}: … }`)
  }
  const key = foreignKeyOf(relation, value)
  if (!key) return readRelated(reading, relation, value, place.label)
  for (const [{ referencedColumn }, part] of key) {
    if (referencedColumn) refuseNonValue(part, referencedColumn, `${place.label}.${referencedColumn.propertyPath}`)
  }
  noteForeignKey(reading, key, place)
  const { inverseEntityMetadata } = relation
  if (isPlainObject(value)) refuseUnknownProperties(value, inverseEntityMetadata, place.label)
  const givesMore = Object.keys(value).length > key.size && !isEntityInstance(value, inverseEntityMetadata)
  return givesMore ? readRelated(reading, relation, value, place.label) : lookUpByForeignKey(key)
}

/** A related row described by fields of its own: it is joined, and says nothing about the foreign key of a new row. */
function readRelated(reading: Reading, relation: RelationMetadata, value: unknown, label: string): unknown {
  const related = new Reading()
  const where = readObject(related, relation.inverseEntityMetadata, value, { path: '', label })
  reading.describesRow = false
  for (const column of ownKeysOf(relation)) reading.pinned.unpinned.set(column, 'other fields')
  reading.joinToMany ||= related.joinToMany || relation.isOneToMany || relation.isManyToMany
  return where
}

const ownKeysOf = (relation: RelationMetadata) => (isOwningToOne(relation) ? relation.joinColumns : [])

function readRelationOperator(reading: Reading, relation: RelationMetadata, operator: Operator, place: Place): unknown {
  const [column] = ownKeysOf(relation)
  const given = givenBy(operator, column?.referencedColumn, place.label)
  if (!given || !column) {
    for (const key of ownKeysOf(relation)) reading.pinned.unpinned.set(key, OPERATOR)
    reading.describesRow = false
    return operator
  }
  if (isObject(given.value)) return readRelation(reading, relation, given.value, place)
  if (given.value === null) {
    noteNull(reading, relation.joinColumns)
    setAt(reading.values, place.path, null)
  } else noteForeignKey(reading, new Map([[column, given.value]]), place)
  return operator
}

function noteForeignKey(reading: Reading, key: ReadonlyMap<ColumnMetadata, unknown>, place: Place): void {
  setAt(reading.values, place.path, referenceFrom(key))
  for (const [column, part] of key) reading.pinned.set(column, part)
}

/**
 * TypeORM joins for every relation in a WHERE, and then reads twice when rows are limited. The foreign key is a column
 * of our own table; an operator on the relation compares it without a join. That way knows one column, no transformer.
 */
function lookUpByForeignKey(key: ReadonlyMap<ColumnMetadata, unknown>): unknown {
  const [[column, part] = []] = key
  const isSimple =
    key.size === 1 && !column?.referencedColumn?.transformer && !column?.referencedColumn?.relationMetadata
  return isSimple ? equalTo(part) : referenceFrom(key)
}

/** The value that an operator stands for: that of `Equal(x)` or the null of `IsNull()`; other operators only look up. */
function givenBy(
  operator: Operator,
  column: ColumnMetadata | undefined,
  label: string,
): { readonly value: unknown } | undefined {
  for (const operand of operandsOf(operator)) refuseNothing(operand, label)
  if (column) for (const operand of comparedBy(operator)) refuseAnotherKind(operand, column, label)
  if (operator.type === 'isNull') return { value: null }
  return operator.type === 'equal' ? { value: operator.value } : undefined
}

function refuseNonValue(value: unknown, column: ColumnMetadata, label: string): void {
  refuseNothing(value, label)
  const isContainer = Array.isArray(value) || isPlainObject(value)
  if (
    typeof value === 'function' ||
    typeof value === 'symbol' ||
    value instanceof Promise ||
    (isContainer && !holdsObjects(column))
  ) {
    throw invalid(label, value, 'give a value of the column, or an operator such as In()')
  }
  refuseAnotherKind(value, column, label)
}

function refuseAnotherKind(value: unknown, column: ColumnMetadata, label: string): void {
  const kind = kindOf(column)
  if (kind && isOfAnotherKind(value, kind)) throw invalid(label, value, kindAdvice(column, kind))
}

function refuseNothing(value: unknown, label: string): void {
  if (value === undefined)
    throw invalid(label, value, 'it would be left out of the query; give a value or remove the key')
  if (value === null) throw invalid(label, value, 'use IsNull() to find NULL')
  if (Number.isNaN(value)) throw invalid(label, value, 'give a number')
  if (value instanceof Date && Number.isNaN(value.getTime())) throw invalid(label, value, 'give a valid Date')
}

const unknownProperty = (metadata: EntityMetadata, value: unknown, { path, label }: Place) =>
  invalid(label, value, unknownAdvice(metadata, path, '; remove it or correct its name'))

function invalid(label: string, value: unknown, advice: string): InvalidCriteriaError {
  return new InvalidCriteriaError(`${label} is ${received(value)}: ${advice}.`)
}
