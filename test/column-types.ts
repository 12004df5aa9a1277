import { DataSource, type EntitySchemaColumnOptions } from 'typeorm'
import { optionsFor } from './databases.js'

const { supportedDataTypes } = new DataSource(optionsFor(null)).driver
export const isSupported = ({ type }: EntitySchemaColumnOptions) =>
  typeof type !== 'string' || (supportedDataTypes as readonly string[]).includes(type)

/** A type of column, and a value: often one that the database stores as another. */
const everyType: [what: string, column: EntitySchemaColumnOptions, value: unknown][] = [
  ['an enum', { type: 'enum', enum: ['draft', 'open'], default: 'draft' }, 'open'],
  ['a date to the second', { type: Date, precision: 0 }, new Date('2021-03-04T05:06:07.689Z')],
  ['a date to the microsecond', { type: Date, precision: 6 }, new Date('2021-03-04T05:06:07.089Z')],
  ['a timestamp', { type: 'timestamp', precision: 3 }, new Date('2021-03-04T05:06:07.089Z')],
  ['a timestamp with time zone', { type: 'timestamp with time zone' }, new Date('2021-03-04T05:06:07.089Z')],
  ['a datetime', { type: 'datetime' }, new Date('2021-03-04T05:06:07.000Z')],
  ['a time of day', { type: 'time' }, '05:06:07'],
  ['an interval', { type: 'interval' }, '90 minutes'],
  ['a decimal with fewer digits', { type: 'decimal', precision: 10, scale: 2 }, '12.3'],
  ['a decimal with more digits', { type: 'decimal', precision: 10, scale: 2 }, '12.345'],
  ['the largest bigint', { type: 'bigint' }, '9223372036854775807'],
  ['a bigint given as a bigint', { type: 'bigint' }, 42n],
  ['a number that the database rounds', { type: 'real' }, 0.1],
  ['a uuid in capitals', { type: 'uuid' }, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
  ['a text that is padded', { type: 'char', length: 5 }, 'ab'],
]

/** Those that the database of this file has. */
export const types = everyType.filter(([, column]) => isSupported(column))
