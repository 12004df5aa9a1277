import { Equal, type ObjectLiteral } from 'typeorm'
import type { EntityMetadata } from './typeorm.js'

/** A find operator of any copy of TypeORM: told by its mark, not by `instanceof`. */
export interface Operator {
  readonly type: string
  readonly value: unknown
  readonly child?: Operator
  readonly objectLiteralParameters?: ObjectLiteral
}

const operatorMarks: unknown[] = [Symbol.for('FindOperator'), Symbol.for('EqualOperator')]

export function isOperator(value: unknown): value is Operator {
  return isObject(value) && operatorMarks.includes(value['@instanceof'])
}

export const equalTo = (value: unknown): unknown => Equal(value)

/** The plain values inside an operator, however deep: `Not(In([1, 2]))` has 1 and 2. */
export function operandsOf(operator: Operator): unknown[] {
  if (operator.child) return operandsOf(operator.child)
  if (operator.type === 'isNull') return []
  // NULL is a fair parameter of hand-written SQL.
  if (operator.type === 'raw')
    return Object.values(operator.objectLiteralParameters ?? {}).filter((value) => value !== null)
  const values = Array.isArray(operator.value) ? operator.value : [operator.value]
  return values.flatMap((value) => (isOperator(value) ? operandsOf(value) : [value]))
}

const COMPARISONS = ['equal', 'in', 'any', 'lessThan', 'lessThanOrEqual', 'moreThan', 'moreThanOrEqual', 'between']

/** Those of them that are compared with the column as they are: not the pattern of `Like`, nor what `Raw` is written with. */
export function comparedBy(operator: Operator): unknown[] {
  if (operator.child) return comparedBy(operator.child)
  if (COMPARISONS.includes(operator.type) || operator.type === 'not') return operandsOf(operator)
  const parts = operator.type === 'and' || operator.type === 'or' ? [operator.value].flat() : []
  return parts.flatMap((part) => (isOperator(part) ? comparedBy(part) : []))
}

/** A copy of a WHERE whose operators are copies too. */
export function withOwnOperands<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withOwnOperands) as T
  if (!isOperator(value) && !isPlainObject(value)) return value
  const copy = Object.create(Object.getPrototypeOf(value))
  for (const [key, part] of Object.entries(value)) copy[key] = withOwnOperands(part)
  return copy
}

export function isObject(value: unknown): value is ObjectLiteral {
  return typeof value === 'object' && value !== null
}

/** An object literal: no class instance, array, Date, Buffer, Promise. */
export function isPlainObject(value: unknown): value is ObjectLiteral {
  if (!isObject(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Is this an entity, loaded or built, rather than a description of one? Entities of a schema have no class to tell. */
export function isEntityInstance(value: object, metadata: EntityMetadata): boolean {
  return !isPlainObject(value) || typeof metadata.target !== 'function'
}

/** Not by `instanceof`: async functions return native promises also where an application replaces the global. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return isObject(value) && typeof value.then === 'function'
}

/** As `Object.assign` for plain objects, which takes several times as long where there are few properties. */
export function copyInto(target: Record<string, unknown>, source: Record<string, unknown>): void {
  for (const name in source) target[name] = source[name]
}

/** Sets a value at a dotted property path. Plain objects, arrays, dates and bytes are copied: what is stored is not shared. */
export function setAt(tree: ObjectLiteral, path: string, value: unknown): void {
  if (!path.includes('.')) {
    tree[path] = copyOf(value)
    return
  }
  const keys = path.split('.')
  const last = keys.pop() as string
  let branch = tree
  for (const key of keys) {
    if (!isObject(branch[key])) branch[key] = {}
    branch = branch[key]
  }
  branch[last] = copyOf(value)
}

export function copyOf(value: unknown): unknown {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return value.map(copyOf)
  if (value instanceof Date) return new Date(value)
  // Not the `slice` of a Buffer, which is another view of the same bytes.
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value)
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)]))
}
