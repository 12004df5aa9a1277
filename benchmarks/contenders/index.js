/**
 * Who is measured. Each runs in a process of its own, on a database of its own.
 *
 * @typedef {object} Target
 * @property {'postgres' | 'mariadb'} type
 * @property {string} url
 * @property {number} connections how many of them the pool holds
 *
 * @typedef {object} Contender
 * @property {string} label
 * @property {string} [short] where there is little room
 * @property {string} file beside this one; exports `open(target, options)`
 * @property {unknown} [options]
 * @property {string[]} [databases] all, where it is not said
 * @property {string[]} [workloads] all that it has a method for, where it is not said
 * @property {boolean} [tellsCreated] whether an answer tells if the row is new; `true` where it is not said
 * @property {boolean} [overwrites] writes what it was given over a row that is there already
 * @property {string} [bulk] how it does many keys, where it is not a loop over single ones
 */
export const BASELINE = { hit: 'find-one-by', other: 'helper' }

/** @type {Record<string, Contender>} */
export const contenders = {
  ours: { label: '`getOrCreate`', short: '`getOrCreate`', file: 'ours.js', bulk: '`getOrCreateMany`' },
  'ours-prepare': {
    label: '`getOrCreate`, `prepare: true`',
    short: '`prepare`',
    file: 'ours.js',
    options: { prepare: true },
    databases: ['postgres'],
    workloads: ['hit-16', 'hit-1', 'miss-16', 'miss-1', 'race', 'rows'],
  },
  'ours-batch': {
    label: '`getOrCreate`, `batch: true`',
    file: 'ours.js',
    options: { batch: true },
    workloads: ['hit-16', 'miss-16', 'race', 'bulk'],
    bulk: 'calls at once',
  },
  helper: { label: 'TypeORM: helper by hand', short: 'the helper', file: 'helper.js' },
  'find-one-by': {
    label: 'TypeORM: `findOneBy` alone',
    short: '`findOneBy`',
    file: 'find-one-by.js',
    workloads: ['hit-16', 'hit-1', 'rows'],
  },
  'typeorm-upsert': {
    label: 'TypeORM: `upsert`, then find',
    file: 'typeorm-upsert.js',
    tellsCreated: false,
    overwrites: true,
    bulk: '`upsert` of a list, then `In`',
  },
  'sequelize-find-or-create': {
    label: 'Sequelize 6 `findOrCreate`',
    file: 'sequelize.js',
    options: { method: 'findOrCreate' },
  },
  'sequelize-find-create-find': {
    label: 'Sequelize 6 `findCreateFind`',
    file: 'sequelize.js',
    options: { method: 'findCreateFind' },
    workloads: ['hit-16', 'hit-1', 'miss-16', 'miss-1', 'race'],
  },
  'mikro-orm': { label: 'MikroORM 7 `upsert`', file: 'mikro-orm.js', tellsCreated: false, bulk: '`upsertMany`' },
  prisma: {
    label: 'Prisma 7 `upsert`',
    file: 'prisma.js',
    tellsCreated: false,
    bulk: '`findMany`, `createMany`, `findMany`',
  },
  drizzle: { label: 'Drizzle, prepared', file: 'drizzle.js', bulk: 'by hand, 3 statements' },
  kysely: { label: 'Kysely', file: 'kysely.js', bulk: 'by hand, 3 statements' },
  knex: { label: 'Knex', file: 'knex.js', bulk: 'by hand, 3 statements' },
  objection: { label: 'Objection', file: 'objection.js', bulk: 'by hand, 3 statements' },
  pg: {
    label: '`pg` alone, named statements',
    short: '`pg`',
    file: 'pg.js',
    databases: ['postgres'],
    bulk: 'by hand, 3 statements',
  },
  mysql2: {
    label: '`mysql2` alone',
    short: '`mysql2`',
    file: 'mysql2.js',
    databases: ['mariadb'],
    bulk: 'by hand, 3 statements',
  },
}

/** The contender that everything is limited by. */
export const FLOOR = { postgres: 'pg', mariadb: 'mysql2' }
